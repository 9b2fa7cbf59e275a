import { h, icon, iconButton } from "/look/dom.js";

const GAP_PX = 8;

/**
 * @typedef {object} MenuItem
 * @property {string} label key of its words; beside a `text` the words themselves
 * @property {string} [icon]
 * @property {string} [text] shown as it is, an emoji for one
 * @property {string} [image] address of a picture that is shown; the label's words are its description
 * @property {() => void} run
 */

/**
 * A button with a drawing that opens a list of actions above everything else. Arrow keys move, Esc and a click elsewhere
 * close, the focus returns to the button.
 *
 * @param {object} options
 * @param {string} options.icon
 * @param {string} options.label
 * @param {MenuItem[]} options.items
 * @param {"row" | "pictures"} [options.layout] side by side, or as a sheet of pictures; one below the other by default
 * @param {"left" | "right"} [options.align] the edge of the button at which the list stands
 * @param {string} [options.class] class of the button
 * @returns {HTMLElement}
 */
export function menuButton({
  icon: drawing,
  label,
  items,
  layout = "column",
  align = "left",
  class: extra = "button--quiet",
}) {
  const list = h(
    "div",
    {
      class: `menu__list menu__list--${layout}`,
      role: "menu",
      popover: "auto",
      onkeydown: move,
      onbeforetoggle: place,
      ontoggle: opened,
    },
    items.map(itemButton),
  );
  const button = iconButton(drawing, label, {
    "aria-haspopup": "menu",
    "aria-expanded": "false",
    "class": extra,
  });
  button.popoverTargetElement = list;

  function itemButton(item) {
    const run = () => {
      list.hidePopover();
      item.run();
    };
    const named = {
      "data-t-label": item.text ? null : item.image && item.label,
      "aria-label": item.text && item.label,
    };
    const face =
      item.text ??
      (item.image
        ? h("img", { src: item.image, alt: "" })
        : [icon(item.icon), h("span", { "data-t": item.label })]);
    return h(
      "button",
      { type: "button", role: "menuitem", class: "menu__item", onclick: run, ...named },
      face,
    );
  }

  /** Beside the button, on the side that has more room; above everything, and moved so that no edge cuts it. */
  function place(event) {
    if (event.newState !== "open") return;
    const { left, right, top, bottom } = button.getBoundingClientRect();
    const below = top < innerHeight / 2;
    list.style.inset = "auto";
    list.style[below ? "top" : "bottom"] = `${below ? bottom + GAP_PX : innerHeight - top + GAP_PX}px`;
    const away = align === "left" ? left : innerWidth - right;
    const beyond = `calc(100% + ${away + GAP_PX}px - 100vw)`;
    list.style[align] = `${away}px`;
    list.style.translate = align === "left" ? `calc(-1 * max(0px, ${beyond}))` : `max(0px, ${beyond})`;
  }

  function opened(event) {
    const open = event.newState === "open";
    button.setAttribute("aria-expanded", String(open));
    if (open) list.firstElementChild.focus();
  }

  function move(event) {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = [...list.children];
    all.at((all.indexOf(document.activeElement) + step) % all.length).focus();
  }

  return h("div", { class: "menu" }, button, list);
}
