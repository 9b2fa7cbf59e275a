/**
 * The demo messenger's JSON made into what the page draws; pure functions.
 */

const STATES = { queued: "sent", delivered: "delivered", read: "read", failed: "failed" };
const USUAL_PATH = ["received", "stored", "copied", "signed", "accepted", "delivered"];
const WITH_FILE = ["picture", "video", "voice", "audio", "file", "sticker"];
const FINAL_STATES = ["delivered", "read", "failed"];
const TROUBLE = ["not_copied", "retry", "marked_failed", "parked"];

/**
 * A message as the client's phone shows it: what the client wrote is "own".
 *
 * @param {object} p a message of the demo messenger
 * @param {string} clientId
 * @returns {import("/look/chat.js").ChatMessage}
 */
export function chatMessage(p, clientId) {
  const own = p.direction === "in";
  return {
    key: p.id,
    id: p.id,
    own,
    author: p.author ?? "",
    type: p.type,
    text: p.text ?? "",
    media: p.media_url || null,
    thumbnail: null,
    fileName: p.file_name ?? "",
    fileSize: p.file_size ?? 0,
    duration: p.duration ?? 0,
    location: p.location ?? null,
    contact: p.contact ?? null,
    quote: p.quote && { ...p.quote, author: p.quote.author ?? "", text: p.quote.text ?? "" },
    at: Date.parse(p.at),
    state: own ? (STATES[p.state] ?? "sent") : null,
    problem: null,
    edited: Boolean(p.edited),
    silent: false,
    unseen: !own && p.state !== "read",
    reactions: (p.reactions ?? []).map(({ user, emoji }) => ({ user: "", emoji, own: user === clientId })),
  };
}

/**
 * @typedef {object} Station one stop of the message on its way
 * @property {string} step
 * @property {"done" | "now" | "next" | "trouble"} kind
 * @property {number | null} at milliseconds since 1970; null when not reached
 * @property {number | null} since milliseconds since the station before
 * @property {number} count how many times it happened
 * @property {string | null} detail
 */

/**
 * The stops of a message: those reached, in order, and those still ahead on the usual path. A step that happened again
 * (each attempt is signed anew) stays at its first place; repeated retries are one stop that counts them.
 *
 * @param {{state: string, type: string, steps: object[]}} timeline
 * @returns {Station[]}
 */
export function stations({ state, type, steps }) {
  const reached = new Map();
  for (const { step, at, detail } of steps) {
    const known = reached.get(step);
    reached.set(step, {
      step,
      kind: TROUBLE.includes(step) ? "trouble" : "done",
      at: known && step !== "retry" ? known.at : Date.parse(at),
      since: null,
      count: (known?.count ?? 0) + 1,
      detail: detail ?? null,
    });
  }
  const done = withSpans([...reached.values()]);
  if (FINAL_STATES.includes(state)) return done;
  const usual = WITH_FILE.includes(type) ? USUAL_PATH : USUAL_PATH.filter((step) => step !== "copied");
  const last = Math.max(-1, ...done.map(({ step }) => usual.indexOf(step === "not_copied" ? "copied" : step)));
  const ahead = usual.slice(last + 1).map((step, index) => ({
    step,
    kind: index === 0 ? "now" : "next",
    at: null,
    since: null,
    count: 0,
    detail: null,
  }));
  return [...done, ...ahead];
}

function withSpans(reached) {
  return reached.map((one, index) => ({
    ...one,
    since: index === 0 ? null : Math.max(0, one.at - reached[index - 1].at),
  }));
}

/**
 * What went wrong on the way, oldest first: retries, refusals, pauses, and every step that carries an error.
 *
 * @param {{steps: object[]}} timeline
 * @returns {object[]}
 */
export function troubles({ steps }) {
  return steps.filter((one) => one.error || one.step === "released" || TROUBLE.includes(one.step));
}

/**
 * Milliseconds from the first step to the delivery; null while it is on its way.
 *
 * @param {{steps: object[]}} timeline
 * @returns {number | null}
 */
export function wholeTime({ steps }) {
  const end = steps.find((one) => one.step === "delivered");
  return end ? Math.max(0, Date.parse(end.at) - Date.parse(steps[0].at)) : null;
}
