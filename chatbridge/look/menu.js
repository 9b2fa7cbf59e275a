import { h, icon, iconButton } from "/look/dom.js";

/**
 * @typedef {object} MenuItem
 * @property {string} label key of its words; with `text` given, the words read aloud
 * @property {string} [icon]
 * @property {string} [text] shown as it is, an emoji for one
 * @property {string} [image] address of a picture that is shown; the label's words are its description
 * @property {() => void} run
 */

/**
 * A button with a drawing that opens a list of actions. Arrow keys move, Esc closes, the focus returns to the button.
 *
 * @param {object} options
 * @param {string} options.icon
 * @param {string} options.label
 * @param {MenuItem[]} options.items
 * @param {"row" | "pictures"} [options.layout] side by side, or as a sheet of pictures; one below the other by default
 * @param {string} [options.class] class of the button
 * @returns {HTMLElement}
 */
export function menuButton({ icon: drawing, label, items, layout, class: extra }) {
  const button = iconButton(drawing, label, {
    "aria-haspopup": "menu", "aria-expanded": "false", onclick: () => (list.hidden ? open() : close()),
    ...(extra ? { class: extra } : {}),
  });
  const list = h("div", { class: "menu__list", role: "menu", hidden: true, onkeydown: move }, items.map(itemButton));
  const wrapper = h("div", { class: `menu ${layout ? `menu--${layout}` : ""}` }, button, list);

  function itemButton(item) {
    const run = () => {
      close();
      item.run();
    };
    if (item.text) return h("button", { type: "button", role: "menuitem", class: "menu__item", "aria-label": item.label, onclick: run }, item.text);
    if (item.image) return h("button", { type: "button", role: "menuitem", class: "menu__item", "data-t-label": item.label, onclick: run }, h("img", { src: item.image, alt: "" }));
    return h("button", { type: "button", role: "menuitem", class: "menu__item", onclick: run }, icon(item.icon), h("span", { "data-t": item.label }));
  }

  function open() {
    list.hidden = false;
    button.setAttribute("aria-expanded", "true");
    list.firstElementChild.focus();
    document.addEventListener("pointerdown", outside);
    document.addEventListener("keydown", escape, true);
  }

  function close() {
    list.hidden = true;
    button.setAttribute("aria-expanded", "false");
    button.focus();
    document.removeEventListener("pointerdown", outside);
    document.removeEventListener("keydown", escape, true);
  }

  function outside(event) {
    if (!wrapper.contains(event.target)) close();
  }

  function escape(event) {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
  }

  function move(event) {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = [...list.children];
    all.at((all.indexOf(document.activeElement) + step) % all.length).focus();
  }

  return wrapper;
}
