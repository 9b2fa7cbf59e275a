import { h, iconButton } from "/look/dom.js";

/**
 * A panel at the right that is opened by a button and closed by its cross or Esc; the focus goes back to the button.
 *
 * @param {object} parts
 * @param {string} parts.name "switches" or "log"; also the key of its title
 * @param {Node[]} parts.content
 * @param {ReturnType<typeof import("/look/store.js").createStore>} parts.store its state member `drawer` names the open one
 * @returns {{button: HTMLElement, element: HTMLElement, render: (state: object) => void}}
 */
export function createDrawer({ name, content, store }) {
  const id = `drawer-${name}`;
  const toggle = () => store.set({ drawer: store.get().drawer === name ? null : name });
  const close = () => store.set({ drawer: null });
  const button = h("button", {
    "type": "button",
    "class": "button button--quiet drawer-button",
    "data-t-label": name,
    "aria-controls": id,
    "aria-expanded": "false",
    "onclick": toggle,
  });
  const element = h(
    "aside",
    { "class": "drawer", id, "data-t-label": name, "tabindex": "-1", "hidden": true },
    h(
      "header",
      { class: "pane-head" },
      h("h2", { "data-t": name }),
      iconButton("close", "look.close", { onclick: close }),
    ),
    content,
  );

  /** Esc closes what lies on top first: an open menu or dialog takes it before the drawer. */
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || element.hidden || document.querySelector("dialog[open], :popover-open"))
      return;
    close();
  });

  function render({ drawer }) {
    const open = drawer === name;
    if (open === !element.hidden) return;
    element.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    if (open) element.focus();
    else if (drawer === null) button.focus();
  }

  return { button, element, render };
}
