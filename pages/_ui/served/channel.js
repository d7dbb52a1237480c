/** The channel between a component and the server: what comes over it, and that it comes back when it is lost. */

const GONE = 4404; // close code: the server does not know the place (any more)
const FIRST_WAIT = 300, LONGEST_WAIT = 5000; // ms before it is opened again; every failure doubles them
const NETWORK = ["online", "offline"]; // events of the window
const ARRAYS = { f4: Float32Array, i4: Int32Array, u1: Uint8Array };

/** Return how many ms to wait after so many failures before: thirty pages do not come back at once. */
export const pause = (failures) => Math.min(FIRST_WAIT * 2 ** failures, LONGEST_WAIT) * (0.75 + Math.random() / 2);

/**
 * A WebSocket to one place of the server after another. While it is lost it is opened again, ever more patiently. It is
 * opened again at once when the browser leaves or finds the network, for the one from before may be dead unawares.
 *
 * received(data), opened(), lost(), gone(place) are called as their names say: each for the place opened last only.
 */
export class Channel {
  constructor({ received, opened, lost, gone }) {
    Object.assign(this, { received, opened, lost, gone, place: null, socket: null, failures: 0 });
    this.retry = () => this.place !== null && this.connect();
    for (const change of NETWORK) addEventListener(change, this.retry);
  }

  /** Speak with this place, "live/TOKEN", from now on; null: with none. */
  open(place) {
    if (place === this.place) return;
    this.place = place;
    this.failures = 0;
    this.drop();
    if (place !== null) this.connect();
  }

  get ready() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  send(message) {
    this.socket.send(message);
  }

  connect() {
    this.drop();
    const url = new URL(this.place, document.baseURI);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = (this.socket = new WebSocket(url));
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.opened();
    socket.onmessage = ({ data }) => {
      this.failures = 0;
      this.received(data);
    };
    socket.onclose = ({ code }) => {
      this.socket = null;
      this.timer = setTimeout(this.retry, pause(this.failures++));
      if (code === GONE) this.gone(this.place);
      else this.lost();
    };
  }

  /** Let go of the socket, if there is one, without hearing from it again. */
  drop() {
    clearTimeout(this.timer);
    const { socket } = this;
    if (!socket) return;
    this.socket = socket.onmessage = socket.onclose = null;
    socket.onopen = () => socket.close(); // one that is still connecting is not torn down, which browsers report
    if (socket.readyState === WebSocket.OPEN) socket.close();
  }

  close() {
    for (const change of NETWORK) removeEventListener(change, this.retry);
    this.open(null);
  }
}

/**
 * Return a message's header, and its arrays by name as {values, shape}, which look into the message's bytes.
 *
 * uint32 length | JSON | arrays, each padded to 4 bytes: engine/runs/protocol.py.
 */
export function decode(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const arrays = {};
  let position = 4 + length;
  for (const [name, kind, shape] of header.arrays) {
    const values = new ARRAYS[kind](buffer, position, shape.reduce((product, size) => product * size, 1));
    arrays[name] = { values, shape };
    position += Math.ceil(values.byteLength / 4) * 4;
  }
  return [header, arrays];
}
