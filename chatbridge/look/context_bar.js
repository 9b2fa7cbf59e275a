import { h, icon, iconButton } from "/look/dom.js";
import { preview } from "/look/preview.js";

const ICONS = { reply: "reply", forward: "forward", edit: "write" };

/**
 * @typedef {object} Context what the next message is about
 * @property {"reply" | "forward" | "edit"} kind
 * @property {import("/look/chat.js").ChatMessage} message
 */

/**
 * The bar above the place to write: which message is answered, passed on or changed, and a cross.
 *
 * @param {object} options
 * @param {import("/look/i18n.js").Words} options.words
 * @param {() => void} options.onCancel
 * @returns {{element: HTMLElement, show: (context: Context | null) => void}}
 */
export function createContextBar({ words, onCancel }) {
  const said = h("div", { "class": "context__said", "aria-live": "polite" });
  const face = h("span", { class: "context__face" });
  const close = iconButton("close", "look.cancel", { onclick: onCancel });
  const element = h("div", { class: "context", hidden: true }, face, said, close);

  function show(context) {
    element.hidden = !context;
    said.replaceChildren();
    if (!context) return;
    const { kind, message } = context;
    face.replaceChildren(icon(ICONS[kind]));
    said.append(
      h(
        "p",
        { class: "context__kind" },
        h("span", { "data-t": `look.context.${kind}` }),
        kind !== "edit" && message.author && `: ${message.author}`,
      ),
      h("p", { class: "context__line" }, preview(message, words)),
    );
    words.apply(element);
  }

  return { element, show };
}

/**
 * The items of a bubble's menu that answer a message or pass it on.
 *
 * @param {(context: Context) => void} begin
 * @param {import("/look/chat.js").ChatMessage} message
 * @returns {import("/look/menu.js").MenuItem[]}
 */
export function quotingItems(begin, message) {
  return ["reply", "forward"].map((kind) => ({
    icon: ICONS[kind],
    label: `look.${kind}`,
    run: () => begin({ kind, message }),
  }));
}
