import { emptyState, openDialog } from "/look/dialogs.js";
import { h, icon } from "/look/dom.js";

/**
 * The sources of the account's pipelines, and the window in which another one is chosen.
 *
 * @param {object} parts
 * @param {any} parts.desk
 * @param {ReturnType<typeof import("/pages/widget_runtime.js").createRuntime>} parts.runtime
 * @param {(code: string, context?: {source_id: number, external_id: string}) => void} parts.onOpen
 */
export function createSources({ desk, runtime, onOpen }) {
  const { words } = desk;

  function view() {
    return h("section", { class: "pipelines" }, desk.state().known.pipelines.map(pipeline));
  }

  function pipeline({ id, name }) {
    const own = desk.state().known.sources.filter((one) => one.pipeline_id === id);
    return h(
      "article",
      { "class": "pipeline", "data-pipeline": id },
      h("header", { class: "cards__head" }, h("h2", {}, name)),
      own.length === 0 && h("p", { "class": "pipeline__empty", "data-t": "no_sources" }),
      h("ul", { class: "pipeline__sources" }, own.map(source)),
      h("button", {
        "type": "button",
        "class": "button",
        "data-t": "add_source",
        "onclick": () => choose(id),
      }),
    );
  }

  function source({ id, client_id, name, external_id }) {
    const { code } = desk.state().known.integrations.find((one) => one.client_id === client_id) ?? {};
    return h(
      "li",
      {},
      h(
        "button",
        {
          "type": "button",
          "class": "menu__item pipeline__source",
          "data-source": id,
          "onclick": () => onOpen(code, { source_id: id, external_id }),
        },
        icon("in"),
        h("span", {}, name),
        h("code", {}, external_id),
      ),
    );
  }

  function choose(pipelineId) {
    const offered = desk
      .state()
      .known.integrations.filter((one) => one.widget?.locations.includes("lead_sources"));
    const rows = offered.map((one) =>
      h(
        "button",
        { type: "button", class: "menu__item", onclick: () => pick(dialog, one, pipelineId) },
        icon("logo"),
        one.name,
      ),
    );
    const content = rows.length > 0 ? rows : [emptyState("info", "no_integrations", "no_lead_sources_hint")];
    const dialog = openDialog(words.t("add_source"), content, words);
  }

  /** A widget that is not installed yet is installed first. */
  async function pick(dialog, { code, installation }, pipelineId) {
    dialog.close();
    if (!installation?.active) return onOpen(code);
    const one = await runtime.start(code);
    if (one) await runtime.run(one, "onAddAsSource", pipelineId);
    return desk.change("/sources", { code, pipeline_id: pipelineId });
  }

  return { view };
}
