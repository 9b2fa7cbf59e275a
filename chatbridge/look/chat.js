import { bodyOf } from "/look/bodies.js";
import { h, icon } from "/look/dom.js";
import { menuButton } from "/look/menu.js";
import { quoteElement } from "/look/quotes.js";
import { reactionChips, reactionMenu } from "/look/reactions.js";
import { timeElement } from "/look/time.js";

/**
 * @typedef {object} ChatMessage a message as the pages draw it; each page makes it from its own server's shape
 * @property {string} key identity of the bubble; stays the same when an unsent message gets its id
 * @property {string | null} id null until the server has taken the message
 * @property {boolean} own written on this side of the screen
 * @property {string} author
 * @property {string} type
 * @property {string} text
 * @property {string | null} media address of the file
 * @property {string | null} thumbnail
 * @property {string} fileName
 * @property {number} fileSize bytes
 * @property {number} duration seconds
 * @property {{lat: number, lon: number} | null} location
 * @property {{name: string, phone: string} | null} contact
 * @property {import("/look/quotes.js").Quote | null} quote
 * @property {number} at milliseconds since 1970
 * @property {"pending" | "sent" | "delivered" | "read" | "failed" | null} state null for messages of the other side
 * @property {string | null} problem why it failed, in words
 * @property {boolean} edited
 * @property {boolean} silent
 * @property {import("/look/reactions.js").Reaction[]} reactions
 */

/**
 * @typedef {object} BubbleOptions
 * @property {import("/look/i18n.js").Words} words
 * @property {boolean} named show the author above the text
 * @property {boolean} worded show the delivery state as a word too
 * @property {(message: ChatMessage) => void} [onRetry]
 * @property {(message: ChatMessage, emoji: string) => void} [onReact] again with the same emoji takes it back
 * @property {(message: ChatMessage) => import("/look/menu.js").MenuItem[]} [actions] what else can be done with a message
 * @property {(id: string) => (() => void) | null} [leadTo] a way to a message, null where there is none
 */

/**
 * One message as a list item: bubble, delivery mark, reactions, and the reason when it failed.
 *
 * @param {ChatMessage} message
 * @param {BubbleOptions} options
 * @returns {HTMLElement}
 */
export function bubble(message, options) {
  const { words, named, onReact, leadTo } = options;
  const bare = message.type === "sticker" && !message.text && !message.quote;
  const box = h(
    "div",
    { role: "article", class: `bubble${bare ? " bubble--bare" : ""}` },
    named && message.author && h("p", { class: "bubble__author" }, message.author),
    message.quote && quoteElement(message.quote, words, leadTo),
    bodyOf(message, words),
    meta(message, options),
  );
  const item = h(
    "li",
    {
      "class": `message ${message.own ? "message--own" : "message--other"}`,
      "data-type": message.type,
      "data-state": message.state,
    },
    h("div", { class: "message__row" }, box, message.id && tools(message, options)),
    reactionChips(message, words, onReact),
    message.state === "failed" && problem(message, options),
  );
  words.apply(item);
  return item;
}

function tools(message, { onReact, actions }) {
  const align = message.own ? "right" : "left";
  const more =
    actions &&
    menuButton({
      icon: "more",
      label: "look.more",
      align,
      class: "button--quiet bubble__tool",
      items: actions(message),
    });
  return [onReact && reactionMenu(message, onReact, align), more];
}

function meta(message, { words, worded }) {
  return h(
    "p",
    { class: "bubble__meta" },
    message.silent &&
      h(
        "span",
        { class: "bubble__sign", title: words.t("look.silent") },
        icon("silent"),
        spoken(words.t("look.silent")),
      ),
    message.edited && h("span", {}, words.t("look.edited")),
    timeElement(message.at, words.language()),
    message.state && mark(message.state, words, worded),
  );
}

const MARKS = {
  pending: "pending",
  sent: "sent",
  delivered: "delivered",
  read: "delivered",
  failed: "warning",
};

function mark(state, words, worded) {
  const word = words.t(`look.state.${state}`);
  const text = worded || state === "failed" ? h("span", { class: "mark__word" }, word) : spoken(word);
  return h("span", { class: `mark mark--${state}`, title: word }, icon(MARKS[state]), text);
}

function spoken(text) {
  return h("span", { class: "sr-only" }, text);
}

function problem(message, { words, onRetry }) {
  const again =
    onRetry &&
    !message.id &&
    h("button", {
      "type": "button",
      "class": "button button--link",
      "data-t": "look.try_again",
      "onclick": () => onRetry(message),
    });
  const reason = message.problem || words.t("look.state.failed");
  return h("p", { class: "message__problem" }, icon("warning", "icon--s"), h("span", {}, reason, " ", again));
}
