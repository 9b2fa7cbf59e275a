import { createPanel } from "./panel.js";
import { start } from "./start.js";

/**
 * For a page whose `/chat.js` is of another version of the server, and knows nothing of our panel: all of ours in place of all
 * of its. So what is used here of the other side stays as it is in every version.
 *
 * @param {object} core of the other version, see conversation.js
 * @param {HTMLScriptElement} core.script the tag in the page
 * @param {() => void} core.end
 */
export function renew({ script, end }) {
  window.chatbridge = { q: [["open"]] };
  start(script, async () => createPanel, end);
}
