/**
 * The globals `APP` and `AMOCRM` (its older name), which widgets may read.
 *
 * @param {any} desk
 * @param {ReturnType<typeof import("/pages/widget_log.js").createCallLog>} log
 */
export function createEnvironment(desk, log) {
  const { account, pipelines } = desk.state().known;
  const user = desk.user();
  const language = desk.words.language();
  const managers = account.users.map((one) => [
    one.user_id,
    {
      id: one.user_id,
      title: one.name,
      amojo_id: one.id,
      active: true,
      is_admin: one.is_admin ? "Y" : "N",
      group: "group_0",
    },
  ]);
  const constants = {
    account: {
      id: account.id,
      name: account.name,
      subdomain: account.subdomain,
      amojo_id: account.amojo_id,
      language,
      currency: "RUB",
      timezone: "Europe/Moscow",
    },
    user: { id: user.user_id, name: user.name, amojo_id: user.id, is_admin: user.is_admin },
    managers: Object.fromEntries(managers),
    groups: { group_0: "Sales" },
    task_types: {},
    user_rights: { is_admin: user.is_admin },
    pipelines,
  };
  const APP = {
    lang_id: language,
    constant: (name) => structuredClone(constants[name]),
    getWidgetsArea: () => "settings",
    getBaseEntity: () => null,
    isCard: () => false,
    notifications: {
      add_error({ header = "", text = "" } = {}, { done, always } = {}) {
        desk.notices.failed(header || text, header ? text : "");
        log.done("page", "notifications.add_error");
        done?.();
        always?.();
      },
    },
  };
  globalThis.APP = Object.freeze(APP);
  globalThis.AMOCRM = globalThis.APP;
}
