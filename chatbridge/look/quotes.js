import { h, icon } from "/look/dom.js";
import { preview } from "/look/preview.js";

/**
 * @typedef {object} Quote a message that another one answers, or passes on
 * @property {string | null} id of the message, null where this page cannot know it
 * @property {string} author
 * @property {string} text
 * @property {string} type
 * @property {boolean} forwarded passed on, not answered
 */

/**
 * The quote of a message that is about to be sent.
 *
 * @param {import("/look/context_bar.js").Context | null} context
 * @returns {Quote | null}
 */
export function quoteFrom(context) {
  if (!context) return null;
  const { id, author, text, type } = context.message;
  return { id, author, text, type, forwarded: context.kind === "forward" };
}

/**
 * What the request says of it; both servers use these names.
 *
 * @param {import("/look/context_bar.js").Context | null} context
 * @returns {{reply_to?: string, forward?: string}}
 */
export function quotingMember(context) {
  return context ? { [{ reply: "reply_to", forward: "forward" }[context.kind]]: context.message.id } : {};
}

/**
 * The quote above a text. Where the quoted message is on the page a click leads to it.
 *
 * @param {Quote} quote
 * @param {import("/look/i18n.js").Words} words
 * @param {(id: string) => (() => void) | null} [leadTo]
 * @returns {HTMLElement}
 */
export function quoteElement({ id, author, text, type, forwarded }, words, leadTo) {
  const lead = id ? leadTo?.(id) : null;
  const content = [
    forwarded &&
      h("span", { class: "quote__kind" }, icon("forward", "icon--s"), h("span", { "data-t": "look.forwarded" })),
    author && h("cite", {}, author),
    h("span", { class: "quote__text" }, preview({ type, text, fileName: "" }, words)),
  ];
  const box = h("blockquote", { class: "quote" });
  if (!lead) box.append(...content.filter(Boolean));
  else box.append(h("button", { "type": "button", "class": "quote__lead", "onclick": follow }, content));

  /** The bubble around it is not chosen: the one it leads to is. */
  function follow(event) {
    event.stopPropagation();
    lead();
  }

  return box;
}
