import { h } from "/look/dom.js";

/**
 * Tabs for narrow screens, where one part of the page is shown at a time. On wide screens all parts are visible and
 * the tabs are hidden by the style sheet.
 *
 * @param {object} parts
 * @param {Array<[string, HTMLElement]>} parts.panels with the key of their words
 * @param {ReturnType<typeof import("/look/store.js").createStore>} parts.store its state member `part` names the shown one
 * @returns {{element: HTMLElement, render: (state: object) => void}}
 */
export function createTabs({ panels, store }) {
  const names = panels.map(([name]) => name);
  const show = (part) => store.set({ part });
  const tab = (name) =>
    h("button", {
      "type": "button",
      "role": "tab",
      "id": `tab-${name}`,
      "aria-controls": `part-${name}`,
      "data-t": name,
      "onclick": () => show(name),
    });
  const element = h("div", { class: "segments tabs", role: "tablist", onkeydown: move }, names.map(tab));
  for (const [name, panel] of panels) panel.id = `part-${name}`;

  function move(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = names.at((names.indexOf(store.get().part) + step) % names.length);
    show(next);
    element.querySelector(`#tab-${next}`).focus();
  }

  function render({ part }) {
    for (const [name, panel] of panels) panel.classList.toggle("part--shown", name === part);
    for (const button of element.children) {
      const chosen = button.id === `tab-${part}`;
      button.setAttribute("aria-selected", String(chosen));
      button.tabIndex = chosen ? 0 : -1;
    }
  }

  return { element, render };
}
