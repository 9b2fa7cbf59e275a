// Node-RED without what a server does not need: no editor, no log of requests, no call home.
module.exports = {
  uiHost: "127.0.0.1",
  uiPort: Number(process.env.BENCH_PORT),
  disableEditor: true,
  flowFile: "flow.json",
  functionGlobalContext: { crypto: require("crypto") },
  logging: { console: { level: "warn", metrics: false, audit: false } },
  telemetry: { enabled: false, updateNotification: false },
};
