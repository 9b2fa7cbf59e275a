/**
 * @typedef {object} Shown a message as it is drawn
 * @property {string} id
 * @property {boolean} own
 * @property {number} position 0 until it is an event
 * @property {string} at
 * @property {string} kind
 * @property {"sending" | "waiting" | "sent" | "failed" | ""} state empty for the operator's
 * @property {string[]} reactions
 * @property {Shown | undefined} quote
 */

/**
 * The conversation as it is drawn: what has come as an event, then what is on its way.
 *
 * @param {import("./store.js").State} state
 * @param {object[]} uploads files on their way to the server
 * @param {boolean} connected
 * @returns {Shown[]}
 */
export function timeline({ events, outbox }, uploads, connected) {
  const messages = new Map();
  for (const event of events)
    if (event.type === "message") messages.set(event.id, fromEvent(event, messages));
    else react(messages.get(event.message_id), event);
  const pending = connected ? "sending" : "waiting";
  return [...messages.values(), ...[...outbox, ...uploads].map((item) => onItsWay(item, pending))];
}

function fromEvent(event, messages) {
  const own = event.from === "visitor";
  return { ...event, own, state: own ? "sent" : "", reactions: [], quote: messages.get(event.reply_to) };
}

function react(message, { emoji, removed }) {
  if (!message) return;
  const others = message.reactions.filter((one) => one !== emoji);
  message.reactions = removed ? others : [...others, emoji];
}

function onItsWay(item, pending) {
  const state = item.failed ? "failed" : item.position ? "sent" : pending;
  return { ...item, own: true, position: 0, kind: item.file ? "file" : "text", state, reactions: [] };
}
