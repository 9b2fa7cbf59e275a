/**
 * The messages of one conversation as plain lists; every function returns a new list, oldest first.
 *
 * A message shown before the server has it (`id` null) is "unsent". When the server's copy arrives, by the answer or by
 * the event stream, whichever is first, the copy takes the unsent one's place and key.
 *
 * @typedef {import("/look/chat.js").ChatMessage} ChatMessage
 */

/**
 * Put the server's copy of a message in: over the known one, over the unsent one it stems from, or as a new one.
 *
 * @param {ChatMessage[]} messages
 * @param {ChatMessage} incoming
 * @returns {ChatMessage[]}
 */
export function upsert(messages, incoming) {
  const known =
    messages.find((one) => one.id === incoming.id) ?? messages.find((one) => stemsFrom(incoming, one));
  const kept = messages.filter((one) => one !== known);
  return sorted([...kept, { ...incoming, key: known?.key ?? incoming.key }]);
}

/**
 * Take the server's whole list, keeping keys and what it has not got yet.
 *
 * @param {ChatMessage[]} messages
 * @param {ChatMessage[]} fresh
 * @returns {ChatMessage[]}
 */
export function replace(messages, fresh) {
  const ids = new Set(fresh.map((one) => one.id));
  const kept = messages.filter((one) => one.id === null || ids.has(one.id));
  return fresh.reduce(upsert, kept);
}

/**
 * The server has answered for an unsent message.
 *
 * @param {ChatMessage[]} messages
 * @param {string} key of the unsent message
 * @param {ChatMessage} answer
 * @returns {ChatMessage[]}
 */
export function settle(messages, key, answer) {
  const newer = messages.find((one) => one.id === answer.id);
  const kept = messages.filter((one) => one.key !== key && one !== newer);
  return sorted([...kept, { ...(newer ?? answer), key }]);
}

/**
 * Change some members of one message.
 *
 * @param {ChatMessage[]} messages
 * @param {(message: ChatMessage) => boolean} which
 * @param {Partial<ChatMessage>} patch
 * @returns {ChatMessage[]}
 */
export function patch(messages, which, patch) {
  return messages.map((one) => (which(one) ? { ...one, ...patch } : one));
}

/**
 * A message that the server has not taken yet.
 *
 * @param {Partial<ChatMessage>} content
 * @param {number} at
 * @returns {ChatMessage}
 */
export function unsent(content, at) {
  return {
    author: "",
    text: "",
    media: null,
    thumbnail: null,
    fileName: "",
    fileSize: 0,
    duration: 0,
    location: null,
    contact: null,
    quote: null,
    problem: null,
    edited: false,
    silent: false,
    reactions: [],
    ...content,
    key: `unsent-${crypto.randomUUID()}`,
    id: null,
    own: true,
    at,
    state: "pending",
  };
}

function stemsFrom(incoming, one) {
  if (one.id !== null || one.state !== "pending" || !incoming.own) return false;
  return one.type === incoming.type && one.text === incoming.text && one.fileName === incoming.fileName;
}

function sorted(messages) {
  return messages.toSorted((a, b) => a.at - b.at);
}
