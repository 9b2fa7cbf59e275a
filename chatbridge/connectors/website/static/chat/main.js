import { start } from "./start.js";
import version from "./panel.version";

const script = document.currentScript;

/** Most browsers never ask again for a module that did not come (whatwg/html#6768), so each attempt has its own address. */
async function loadPanel(attempt) {
  const path = `chat/panel/${version}.js${attempt ? `?${attempt}` : ""}`;
  return (await import(new URL(path, script.src))).default;
}

// A page may name the script twice.
if (!window.chatbridge?.started) start(script, loadPanel);
