import { call } from "/look/api.js";
import { renderTemplate } from "/pages/widget_templates.js";

const POST_PAUSE_MS = 1000;
let postTurn = Promise.resolve();

/**
 * What every widget inherits: the methods of `this` (page "script_js"). Those of places that this page does not have, as
 * cards, lists and calls, answer as they do where nothing is selected.
 *
 * @param {object} parts
 * @param {any} parts.$ jQuery
 * @param {any} parts.Twig
 * @param {any} parts.desk
 * @param {Record<string, any>} parts.langs words of the widget in the user's language
 * @param {string} parts.area "settings" or "advanced_settings"
 * @param {string} parts.code
 * @param {ReturnType<typeof import("/pages/widget_log.js").createCallLog>} parts.log
 */
export function createBase({ $, Twig, desk, langs, area, code, log }) {
  const path = `/widgets/${code}`;
  const integration = () => desk.integration(code);
  const installed = () => integration().installation;
  const changed = {};
  let status = null;

  function installStatus() {
    if (!installed()?.active) return "install";
    const missing = Object.entries(integration().widget.fields).some(
      ([name, field]) => field.required && !installed().settings[name],
    );
    return missing ? "not_configured" : "installed";
  }

  function system() {
    const { account } = desk.state().known;
    const user = desk.user();
    return {
      area,
      amouser_id: user.user_id,
      amouser: user.name,
      subdomain: account.subdomain,
      domain: `${account.subdomain}.${account.zone}`,
      server: location.origin,
    };
  }

  function settings() {
    const { widget, client_id } = integration();
    const active = installed()?.active ?? false;
    return {
      ...installed()?.settings,
      ...changed,
      id: installed()?.id ?? null,
      widget_code: code,
      path,
      images_path: `${path}/images`,
      version: widget.version,
      status: status ?? installStatus(),
      active: active ? "Y" : "N",
      widget_active: active ? "Y" : "N",
      oauth_client_uuid: client_id,
    };
  }

  /** A call of the widget's own server with the disposable token of this user (page "disposable-tokens"). */
  function $authorizedAjax(options) {
    const wanted = { client_id: integration().client_id, user_id: desk.user().user_id };
    return $.ajax({
      url: `${desk.base}/disposable-tokens`,
      method: "POST",
      contentType: "application/json",
      data: JSON.stringify(wanted),
    }).then(({ token }) => $.ajax({ ...options, headers: { ...options.headers, "X-Auth-Token": token } }));
  }

  /** Posts wait for each other: one leaves a second. */
  function crm_post(url, data = {}, done = undefined, type = "text", failed = undefined) {
    const fields = Object.fromEntries(Object.entries(data).map(([name, value]) => [name, String(value)]));
    const answer = postTurn.then(() =>
      call("POST", `${desk.base}/crm-post`, { url: new URL(url, location).href, data: fields }),
    );
    postTurn = answer
      .catch(() => null)
      .then(() => new Promise((resolve) => setTimeout(resolve, POST_PAUSE_MS)));
    answer
      .then(({ body }) => done?.(type === "json" ? JSON.parse(body) : body))
      .catch((problem) => {
        log.failed(code, `crm_post: ${problem.message}`);
        failed?.(problem);
      });
  }

  return {
    params: { path, widget_code: code, ...integration().widget },
    langs,
    system,
    get_settings: settings,
    set_settings: (values) => void Object.assign(changed, values),
    get_install_status: installStatus,
    set_status: (value) => void (status = value),
    i18n: (name) => name.split(".").reduce((words, part) => words?.[part], langs),
    set_lang: (words) => void Object.assign(langs, words),
    get_version: () => integration().widget.version,
    get_accounts_current: () => globalThis.APP.constant("account"),
    async get_pipeline_id() {
      const source = desk.state().known.sources.find((one) => one.client_id === integration().client_id);
      if (!source) throw new Error("the widget is no source");
      return source.pipeline_id;
    },
    render: (template, values = {}) => renderTemplate(Twig, template, { ...values }),
    render_template: () => null,
    crm_post,
    $authorizedAjax,
    add_action: () => null,
    add_source: () => null,
    list_selected: () => ({ selected: [], summary: {} }),
    widgetsOverlay: () => null,
    get_current_card_contacts_data: async () => [],
    listenSocketChannel: () => () => null,
  };
}
