import { waitAfter } from "./connection.js";
import { createConversation } from "./conversation.js";
import { createStore } from "./store.js";

/** How the chat looks: from the server, or as it was the last time. Null if this page may not have it. */
async function loadSettings(address, store, attempt = 0) {
  const answer = await fetch(`${address}/settings`).catch(() => null);
  if (answer?.ok) return answer.json();
  if (answer?.status < 500) return null;
  if (store.get().settings) return store.get().settings;
  await new Promise((resolve) => setTimeout(resolve, waitAfter(0, attempt, Math.random())));
  return loadSettings(address, store, attempt + 1);
}

/**
 * Begin, and do what the page has asked for meanwhile.
 *
 * @param {HTMLScriptElement} script the tag in the page
 * @param {(attempt: number) => Promise<Function>} loadPanel what makes the panel, see panel.js
 * @param {() => void} [end] of the script in whose place we are
 */
export async function start(script, loadPanel, end) {
  const calls = window.chatbridge?.q ?? [];
  window.chatbridge = { q: calls, started: true };
  const messenger = script.dataset.messenger ?? location.pathname.split("/").pop();
  const address = new URL(`chat/${messenger}`, script.src).href;
  const store = createStore(`chatbridge:${messenger}`);
  const settings = await loadSettings(address, store);
  if (!settings) return;
  end?.();
  store.change(() => ({ settings }));
  const methods = createConversation({ script, address, store, settings, loadPanel });
  const push = ([name, about]) => methods[name]?.(about);
  window.chatbridge = { ...methods, q: { push }, started: true };
  for (const call of calls) push(call);
}
