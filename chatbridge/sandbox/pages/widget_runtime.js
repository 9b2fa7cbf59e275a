import { call } from "/look/api.js";
import { defineModal } from "/pages/widget_dialog.js";
import { createBase } from "/pages/widget_base.js";
import { createEnvironment } from "/pages/widget_environment.js";

const VENDOR = {
  jquery: "/vendor/jquery@3.7.1/jquery.min",
  underscore: "/vendor/underscore@1.13.7/underscore-umd-min",
  twigjs: "/vendor/twig@1.17.1/twig.min",
};

/**
 * Runs widgets as amoCRM does: script.js by RequireJS, one instance for a place, callbacks one after another. What a
 * widget throws is written down and goes no further.
 *
 * @param {object} parts
 * @param {any} parts.desk
 * @param {ReturnType<typeof import("/pages/widget_log.js").createCallLog>} parts.log
 */
export function createRuntime({ desk, log }) {
  const { requirejs } = globalThis;
  const running = new Map();
  const loaded = new Set();
  requirejs.onResourceLoad = (context, { id }) => void loaded.add(id);
  requirejs.config({
    paths: VENDOR,
    urlArgs: (name, url) => (url.startsWith("/widgets/") ? `?v=${version(name)}` : ""),
  });
  defineModal(globalThis.define);

  function version(name) {
    return encodeURIComponent(desk.integration(name.split("/")[2])?.widget?.version ?? "");
  }

  /**
   * @param {string[]} names
   * @returns {Promise<any[]>}
   */
  function load(names) {
    return new Promise((resolve, reject) => requirejs(names, (...modules) => resolve(modules), reject));
  }

  async function create(code, area) {
    const integration = desk.integration(code);
    const [$, Twig] = await load(["jquery", "twigjs"]);
    const language = desk.words.language();
    const langs = await call(
      "GET",
      `/widgets/${code}/i18n/${language}.json?v=${version(`/widgets/${code}`)}`,
    ).catch(() => ({}));
    createEnvironment(desk, log);
    const [Widget] = await load([`/widgets/${code}/script.js`]);
    Object.setPrototypeOf(Widget.prototype, createBase({ $, Twig, desk, langs, area, code, log }));
    const widget = new Widget();
    log.done(code, `${integration.name} ${integration.widget.version}, ${area}`);
    return { widget, code };
  }

  /**
   * Call a callback. A promise is waited for.
   *
   * @param {{widget: any, code: string}} one
   * @param {string} name
   * @param {...any} given
   * @returns {Promise<{done: boolean, value?: any}>} `done` is false if there is none, or it threw or rejected
   */
  async function run(one, name, ...given) {
    const callback = one.widget.callbacks?.[name];
    if (typeof callback !== "function") return { done: false };
    try {
      const value = await callback.apply(one.widget, given);
      log.done(one.code, `${name} → ${shown(value)}`);
      return { done: true, value };
    } catch (problem) {
      log.failed(one.code, `${name}: ${problem?.message ?? problem}`);
      return { done: false };
    }
  }

  async function begun(code, area) {
    try {
      const one = await create(code, area);
      const { value } = await run(one, "render");
      if (value === true) {
        await run(one, "bind_actions");
        await run(one, "init");
      }
      return one;
    } catch (problem) {
      log.failed(code, `script.js: ${problem?.message ?? problem}`);
      return null;
    }
  }

  /**
   * The running widget of a code: made at the first time, null if its script fails.
   *
   * @param {string} code
   * @param {string} [area]
   * @returns {Promise<{widget: any, code: string} | null>}
   */
  function start(code, area = "settings") {
    if (!running.has(code)) running.set(code, begun(code, area));
    return running.get(code);
  }

  async function stop(code) {
    const begun = running.get(code);
    running.delete(code);
    const one = await begun;
    if (one) await run(one, "destroy");
  }

  /** Another archive is there: its modules are loaded anew. */
  async function forget(code) {
    await stop(code);
    for (const name of [...loaded].filter((id) => id.startsWith(`/widgets/${code}/`))) {
      requirejs.undef(name);
      loaded.delete(name);
    }
  }

  window.addEventListener("error", ({ message }) => log.failed("page", message));
  window.addEventListener("unhandledrejection", ({ reason }) =>
    log.failed("page", String(reason?.message ?? reason)),
  );

  return {
    load,
    run,
    start,
    stop,
    forget,
    /** Leave a place: every widget that runs is told, and begins anew when it is wanted again. */
    leave: () => Promise.all([...running.keys()].map(stop)),
  };
}

function shown(value) {
  if (typeof value !== "object" || value === null) return String(value);
  return Array.isArray(value) ? "array" : "object";
}
