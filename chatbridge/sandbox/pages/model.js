/**
 * The sandbox's JSON made into what the page draws; pure functions.
 */

const STATES = new Map([
  [null, "sent"],
  [1, "delivered"],
  [2, "read"],
  [-1, "failed"],
]);

/**
 * @param {object} m a message of the control API
 * @param {(id: string) => string} nameOf the name of a user or client by id
 * @param {string | null} userId who sits at this side of the screen
 * @param {import("/look/i18n.js").Words} words
 * @returns {import("/look/chat.js").ChatMessage}
 */
export function chatMessage(m, nameOf, userId, words) {
  return {
    key: m.id,
    id: m.id,
    own: m.direction === "out",
    author: m.author.name,
    type: m.type,
    text: m.text ?? "",
    media: m.media || null,
    thumbnail: m.thumbnail || null,
    fileName: m.file_name ?? "",
    fileSize: m.file_size ?? 0,
    duration: m.media_duration ?? 0,
    location: m.location ?? null,
    contact: m.contact ?? null,
    quote: quoted(m),
    at: m.at_ms,
    edited: Boolean(m.edited),
    silent: Boolean(m.silent),
    reactions: (m.reactions ?? []).map(({ user, emoji }) => ({ user: nameOf(user), emoji, own: user === userId })),
    ...delivery(m, words),
  };
}

/**
 * The delivery of an operator's message, the reason of a failure in words.
 *
 * @param {object} m
 * @param {import("/look/i18n.js").Words} words
 * @returns {{state: string | null, problem: string | null}}
 */
function delivery({ direction, status }, words) {
  if (direction !== "out") return { state: null, problem: null };
  const state = STATES.get(status?.code ?? null) ?? "sent";
  return { state, problem: state === "failed" ? reason(status, words) : null };
}

function reason({ error_code: code, error }, words) {
  const key = `problem.${code}`;
  const known = words.has(key) ? words.t(key) : null;
  return [code, [known, error].filter(Boolean).join(": ")].filter(Boolean).join(" · ") || null;
}

function quoted({ reply_to: reply, forwards }) {
  const source = reply?.message ?? forwards?.messages?.[0];
  if (!source) return null;
  return {
    id: source.id ?? null,
    author: source.sender?.name ?? "",
    text: source.text ?? "",
    type: source.type ?? "text",
    forwarded: !reply,
  };
}

/**
 * Put a chat in by its id, newest message first.
 *
 * @param {object[]} chats
 * @param {object} chat
 * @returns {object[]}
 */
export function withChat(chats, chat) {
  const time = (one) => one.last_message?.at_ms ?? 0;
  return [chat, ...chats.filter((one) => one.id !== chat.id)].toSorted((a, b) => time(b) - time(a));
}

/**
 * A name for a person, even for one of whom only the number is known.
 *
 * @param {object} person
 * @param {import("/look/i18n.js").Words} words
 * @returns {string}
 */
export function personName(person, words) {
  return person.name || person.phone || words.t("nameless");
}

/**
 * Milliseconds of a time that is given in seconds, in milliseconds or as ISO text.
 *
 * @param {number | string} at
 * @returns {number}
 */
function milliseconds(at) {
  if (typeof at === "string") return Date.parse(at);
  return at < 1e11 ? at * 1000 : at;
}

/**
 * Requests and hooks as one log, newest first.
 *
 * @param {object[]} requests
 * @param {object[]} hooks
 * @param {"all" | "requests" | "hooks" | "failed"} filter
 * @returns {object[]} rows with `kind` "request", "download" (of a message's file) or "hook", and `at` in milliseconds
 */
export function logRows(requests, hooks, filter) {
  const rows = [
    ...(filter === "hooks"
      ? []
      : requests.map((row) => ({ ...row, kind: row.kind === "download" ? "download" : "request" }))),
    ...(filter === "requests" ? [] : hooks.map((row) => ({ ...row, kind: "hook", hook: row.kind }))),
  ].map((row) => ({ ...row, at: milliseconds(row.at) }));
  const wanted = filter === "failed" ? rows.filter(failed) : rows;
  return wanted.toSorted((a, b) => b.at - a.at);
}

/**
 * @param {object} row
 * @returns {boolean}
 */
export function failed(row) {
  return Boolean(row.error) || row.status === null || row.status >= 400;
}
