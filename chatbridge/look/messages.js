import { bubble } from "/look/chat.js";
import { h } from "/look/dom.js";
import { createScroller } from "/look/scroller.js";
import { dayName, startOfDay } from "/look/time.js";

const SHOWN_AT_ONCE = 200;

/**
 * @typedef {object} MessageList
 * @property {HTMLElement} element
 * @property {(messages: import("/look/chat.js").ChatMessage[], selected: string | null) => void} update
 * @property {() => void} reset another conversation comes: begin at its newest message
 */

/**
 * The scrolled list of a conversation: day lines, bubbles, the chosen bubble. It stays at the newest message unless the
 * reader has scrolled up. One bubble is in the tab order; arrow keys go to the others, Enter chooses.
 *
 * @param {object} options
 * @param {import("/look/i18n.js").Words} options.words
 * @param {(message: import("/look/chat.js").ChatMessage) => void} options.onSelect
 * @param {(message: import("/look/chat.js").ChatMessage) => void} [options.onRetry]
 * @param {(message: import("/look/chat.js").ChatMessage, emoji: string) => void} [options.onReact]
 * @param {(message: import("/look/chat.js").ChatMessage) => import("/look/menu.js").MenuItem[]} [options.actions]
 * @param {boolean} [options.names] show the author above the first bubble of a row
 * @returns {MessageList}
 */
export function createMessageList({ words, onSelect, onRetry, onReact, actions, names = false }) {
  const list = h("ol", { "class": "messages__list", "data-t-label": "look.messages", "onkeydown": move });
  const scroller = createScroller(list);
  const earlier = h(
    "li",
    { class: "messages__earlier" },
    h("button", {
      "type": "button",
      "class": "button button--small",
      "data-t": "look.earlier",
      "onclick": showEarlier,
    }),
  );
  let drawn = new Map();
  let limit = SHOWN_AT_ONCE;
  let last = [[], null];

  function update(all, selected) {
    last = [all, selected];
    const messages = all.slice(-limit);
    const next = new Map();
    const nodes = messages.length < all.length ? [earlier] : [];
    words.apply(earlier);
    const lastOwn = messages.findLast((one) => one.own);
    messages.forEach((message, index) => {
      const before = messages[index - 1];
      if (!before || startOfDay(before.at) !== startOfDay(message.at)) nodes.push(dayLine(message.at, next));
      nodes.push(itemFor(message, before, message === lastOwn, next));
    });
    arrange(nodes);
    drawn = next;
    choose(messages, selected);
    if (scroller.following() || messages.at(-1)?.state === "pending") scroller.toEnd();
  }

  function dayLine(at, next) {
    const name = dayName(at, words);
    return keep(`day ${startOfDay(at)}`, [name], next, () =>
      h("li", { class: "messages__day" }, h("span", {}, name)),
    );
  }

  function itemFor(message, before, worded, next) {
    const named =
      names && message.author !== "" && (before?.author !== message.author || before.own !== message.own);
    return keep(message.key, [message, named, worded, words.language()], next, () => {
      const item = bubble(message, { words, named, worded, onRetry, onReact, actions, leadTo });
      item.dataset.key = message.key;
      const box = item.querySelector(".bubble");
      const pick = () => onSelect(message);
      box.addEventListener("click", pick);
      box.addEventListener("keydown", (event) => event.key === "Enter" && event.target === box && pick());
      return item;
    });
  }

  /** The node drawn before, when nothing about it has changed: a playing sound plays on, the focus stays. */
  function keep(key, version, next, draw) {
    const old = drawn.get(key);
    const entry = old && same(old.version, version) ? old : { version, node: draw(), again: old?.node };
    next.set(key, entry);
    if (entry.again) takePlace(entry);
    return entry.node;
  }

  function takePlace(entry) {
    const focused =
      entry.again.contains(document.activeElement) && document.activeElement.classList.contains("bubble");
    entry.again.replaceWith(entry.node);
    entry.again = null;
    if (focused) {
      const box = entry.node.querySelector(".bubble");
      box.tabIndex = 0;
      box.focus();
    }
  }

  function arrange(nodes) {
    nodes.forEach((node, index) => {
      if (list.children[index] !== node) list.insertBefore(node, list.children[index] ?? null);
    });
    while (list.children.length > nodes.length) list.lastElementChild.remove();
  }

  function choose(messages, selected) {
    const reachable = messages.find((one) => one.key === selected)?.key ?? messages.at(-1)?.key;
    for (const item of list.querySelectorAll(".message")) {
      const box = item.querySelector(".bubble");
      for (const one of [box, ...item.querySelectorAll(".bubble__tool")])
        one.tabIndex = item.dataset.key === reachable ? 0 : -1;
      item.classList.toggle("message--selected", item.dataset.key === selected);
      if (item.dataset.key === selected) item.setAttribute("aria-current", "true");
      else item.removeAttribute("aria-current");
    }
  }

  function move(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || !event.target.classList.contains("bubble")) return;
    event.preventDefault();
    const boxes = [...list.querySelectorAll(".bubble")];
    boxes[boxes.indexOf(event.target) + step]?.focus();
  }

  /** A way to a message of this conversation, drawn or not: it is chosen and reached by the keyboard. */
  function leadTo(id) {
    const find = () => last[0].findIndex((one) => one.id === id);
    if (find() < 0) return null;
    return () => {
      const message = last[0][find()];
      limit = Math.max(limit, last[0].length - find());
      update(last[0], message.key);
      const box = drawn.get(message.key).node.querySelector(".bubble");
      box.focus({ preventScroll: true });
      box.scrollIntoView({ block: "center" });
      onSelect(message);
    };
  }

  function showEarlier() {
    limit += SHOWN_AT_ONCE;
    scroller.keepPlace(() => update(...last));
  }

  function reset() {
    limit = SHOWN_AT_ONCE;
    scroller.toEnd();
  }

  return { element: scroller.element, update, reset };
}

/** Most messages are the very object of the last time; after a reconnect they are equal copies. */
function same(before, now) {
  return before.every(
    (part, index) => part === now[index] || (index === 0 && JSON.stringify(part) === JSON.stringify(now[0])),
  );
}
