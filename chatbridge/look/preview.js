/**
 * The word for a kind of message, "Picture"; an unknown kind is named as it is.
 *
 * @param {string} type
 * @param {import("/look/i18n.js").Words} words
 * @returns {string}
 */
function typeName(type, words) {
  return words.has(`look.type.${type}`) ? words.t(`look.type.${type}`) : type;
}

/**
 * A message in one line, for lists, quotes and for the voice of a screen reader.
 *
 * @param {Pick<import("/look/chat.js").ChatMessage, "type" | "text" | "fileName">} message
 * @param {import("/look/i18n.js").Words} words
 * @returns {string}
 */
export function preview({ type, text, fileName }, words) {
  if (type === "text") return text;
  return [typeName(type, words), text || (type === "file" ? fileName : "")].filter(Boolean).join(": ");
}
