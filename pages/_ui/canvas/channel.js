/* The channel between the pad and the networks, and the form of what comes over it. */

const GONE = 4404; // close code: the server does not know the token

/** A WebSocket to /read/{token} that is opened again, ever more patiently, when it is lost. */
export class Channel {
  constructor({ opened, received, lost, gone }) {
    Object.assign(this, { opened, received, lost, gone, token: null, socket: null, failures: 0, timer: 0 });
    this.retry = () => this.socket || this.token === null || this.connect();
    addEventListener("online", this.retry);
  }

  /** Speak with the reader of this token from now on. */
  open(token) {
    if (token === this.token) return;
    this.token = token;
    this.failures = 0;
    this.connect();
  }

  get ready() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  connect() {
    clearTimeout(this.timer);
    this.drop();
    const url = new URL(`read/${this.token}`, document.baseURI);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = (this.socket = new WebSocket(url));
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.opened();
    socket.onmessage = (event) => {
      this.failures = 0;
      this.received(event.data);
    };
    socket.onclose = (event) => {
      this.socket = null;
      const wait = Math.min(10000, 250 * 2 ** this.failures++) * (0.75 + Math.random() / 2);
      this.timer = setTimeout(this.retry, wait);
      if (event.code === GONE) this.gone(this.token);
      else this.lost();
    };
  }

  /** Let go of the socket, if there is one, without hearing from it again. */
  drop() {
    if (!this.socket) return;
    this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
    this.socket.close();
    this.socket = null;
  }

  close() {
    removeEventListener("online", this.retry);
    clearTimeout(this.timer);
    this.token = null;
    this.drop();
  }
}

/** Return header and arrays of a message: uint32 length | JSON | arrays, each padded to 4 bytes (engine.runs.protocol). */
export function decode(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const arrays = {};
  let position = 4 + length;
  for (const [name, kind, shape] of header.arrays) {
    const count = shape.reduce((product, size) => product * size, 1);
    const Type = { f4: Float32Array, i4: Int32Array, u1: Uint8Array }[kind];
    arrays[name] = new Type(buffer, position, count);
    position += 4 * Math.ceil((count * Type.BYTES_PER_ELEMENT) / 4);
  }
  return [header, arrays];
}
