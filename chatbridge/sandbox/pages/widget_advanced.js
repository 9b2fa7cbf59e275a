import { emptyState } from "/look/dialogs.js";
import { h } from "/look/dom.js";

/**
 * A widget's own page in the account's settings: `#work-area-<code>` within `#work_area`.
 *
 * @param {object} parts
 * @param {any} parts.desk
 * @param {ReturnType<typeof import("/pages/widget_runtime.js").createRuntime>} parts.runtime
 */
export function createAdvanced({ desk, runtime }) {
  /**
   * @param {string} code
   * @returns {HTMLElement}
   */
  function view(code) {
    const integration = desk.integration(code);
    if (!integration?.installation?.active) return emptyState("info", "not_installed", "not_installed_hint");
    const heading = h("h2", { class: "content__top__preset" }, integration.name);
    const element = h(
      "section",
      { id: "work_area" },
      h("header", { class: "list__body-right__top" }, heading),
      h("div", { id: "list_page_holder" }, h("div", { id: `work-area-${code}` })),
    );
    // After the page has it: the widget looks for its place there.
    queueMicrotask(() => fill(code, heading));
    return element;
  }

  async function fill(code, heading) {
    const one = await runtime.start(code, "advanced_settings");
    if (!one) return;
    heading.textContent =
      one.widget.i18n(desk.integration(code).widget.advanced_title ?? "") ?? heading.textContent;
    await runtime.run(one, "advancedSettings");
  }

  return { view };
}
