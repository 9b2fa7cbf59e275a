// Tells the page that opened this window how it ended, and closes the window. Nobody is told but the origin that began it.
const { origin, outcome, why } = document.body.dataset;

if (origin && window.opener) {
  window.opener.postMessage({ type: "chatbridge.authorization", outcome, why: why || null }, origin);
  window.close();
}
