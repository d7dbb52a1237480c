/** The channel that frames come over, /live/{token}. */

/** The run's channel. It comes back by itself when the connection is lost, and is closed for good by `close`. */
export class Channel {
  constructor(token, { message, lost, gone }) {
    Object.assign(this, { token, message, lost, gone, delay: 300, closed: false });
    this.retry = () => this.socket.readyState > WebSocket.OPEN && this.connect();
    addEventListener("online", this.retry);
    this.connect();
  }

  connect() {
    clearTimeout(this.timer);
    const url = new URL(`live/${encodeURIComponent(this.token)}`, document.baseURI);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = (this.socket = new WebSocket(url));
    socket.binaryType = "arraybuffer";
    socket.onopen = () => (this.closed ? socket.close() : this.lost(false));
    socket.onmessage = (event) => {
      this.delay = 300;
      if (!this.closed) this.message(event.data);
    };
    socket.onclose = (event) => {
      if (this.closed) return;
      if (event.code === 4404) {
        this.close();
        this.gone();
        return;
      }
      this.lost(true);
      this.timer = setTimeout(this.retry, this.delay);
      this.delay = Math.min(this.delay * 1.8, 5000);
    };
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    removeEventListener("online", this.retry);
    if (this.socket.readyState === WebSocket.OPEN) this.socket.close(); // one that is still connecting closes on open
  }
}
