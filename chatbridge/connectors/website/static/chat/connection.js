/** What follows what; whatever is not in the table changes nothing. */
export const NEXT = {
  idle: { wanted: "connecting" },
  connecting: { opened: "greeting", lost: "waiting" },
  greeting: { ready: "ready", lost: "waiting" },
  ready: { lost: "waiting" },
  waiting: { due: "connecting" },
};

const TICK_MS = 5_000;
const SLEPT_MS = 20_000; // timers that are this late: the machine slept, or the page was frozen
const PATIENCE_MS = 10_000; // a socket that owes us something for so long is dead
const QUIET_MS = 60_000;

/**
 * How long to wait before the next attempt.
 *
 * @param {number} code the server's reason to hang up, 0 for a lost network; docs/reference/website-chat.md, "An end"
 * @param {number} attempt how many have failed one after another
 * @param {number} random 0 to 1
 * @returns {number} milliseconds
 */
export function waitAfter(code, attempt, random) {
  if (code === 1012) return 2_000 * random;
  if (code === 4400) return 60_000;
  if (code === 4429) return 30_000;
  return Math.min(500 * 2 ** attempt, 30_000) * (0.5 + random / 2);
}

/**
 * A socket that comes back by itself. A browser does not see the server's pings, so silence is answered with a question of
 * our own: when nothing was heard for a minute, and when the machine wakes up.
 *
 * @param {object} options
 * @param {string} options.address
 * @param {() => object} options.greet the frame to begin with
 * @param {(frame: object) => void} options.onFrame
 * @param {(state: string, code: number) => void} options.onState
 */
export function createConnection({ address, greet, onFrame, onState }) {
  let state = "idle";
  let socket = null;
  let timer = 0;
  let ticking = 0;
  let attempt = 0;
  let owedSince = 0;
  let heardAt = 0;
  let tickedAt = 0;

  function happen(event, code = 0) {
    const next = NEXT[state]?.[event];
    if (!next) return;
    state = next;
    if (state === "connecting") open();
    if (state === "ready") attempt = 0;
    if (state === "waiting") wait(code);
    onState(state, code);
  }

  function open() {
    clearTimeout(timer);
    owedSince = Date.now();
    socket = new WebSocket(address, "chatbridge.v1");
    socket.onopen = () => {
      happen("opened");
      socket.send(JSON.stringify(greet()));
    };
    socket.onmessage = hear;
    socket.onclose = ({ code }) => happen("lost", code);
  }

  function wait(code) {
    owedSince = 0;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    timer = setTimeout(happen, waitAfter(code, attempt++, Math.random()), "due");
  }

  function hear({ data }) {
    owedSince = 0;
    heardAt = Date.now();
    const frame = JSON.parse(data);
    onFrame(frame);
    if (frame.type === "ready") happen("ready");
  }

  /** Say something, if there is somebody to hear it; `owed` if an answer is due. */
  function send(frame, owed = false) {
    if (state !== "ready" || socket.readyState !== WebSocket.OPEN) return false;
    if (owed) owedSince ||= Date.now();
    socket.send(JSON.stringify(frame));
    return true;
  }

  function tick() {
    const now = Date.now();
    const slept = now - tickedAt > SLEPT_MS;
    tickedAt = now;
    if (owedSince && now - owedSince > PATIENCE_MS) happen("lost");
    if (slept) happen("due");
    const quiet = !document.hidden && now - heardAt > QUIET_MS;
    if (slept || quiet) send({ type: "ping" }, true);
  }

  function begin() {
    if (state !== "idle") return;
    tickedAt = Date.now();
    ticking = setInterval(tick, TICK_MS);
    addEventListener("online", () => happen("due"));
    addEventListener("offline", () => happen("lost"));
    happen("wanted");
  }

  function again() {
    happen("lost");
    happen("due");
  }

  /** For good: there is nothing in the table for it. */
  function end() {
    happen("lost");
    clearTimeout(timer);
    clearInterval(ticking);
    state = "ended";
  }

  return { begin, again, end, send, state: () => state };
}
