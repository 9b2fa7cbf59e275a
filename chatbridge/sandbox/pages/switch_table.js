/**
 * The sandbox's switches in the order they are shown: the group, and per switch its allowed values (the first is the
 * normal one), or for a number its normal value and bounds, or for free text only the normal value.
 *
 * @typedef {{name: string, choices?: string[], normal: string | number, low?: number, high?: number, whole?: boolean}} Switch
 */

const choice = (name, ...choices) => ({ name, choices, normal: choices[0] });
const number = (name, normal, low, high, whole = false) => ({ name, normal, low, high, whole });

/** @type {Array<{key: string, switches: Switch[]}>} */
export const GROUPS = [
  {
    key: "group.faults",
    switches: [
      choice("fault", "none", "slow", "forbidden", "500", "503", "429", "lost_answer", "truncated"),
      number("fault_requests", 0, 0, 1_000_000, true),
      number("fault_delay_s", 6, 0, 120),
      number("fault_retry_after_s", 1, 0, 3600),
      { name: "fault_conversation", normal: "" },
    ],
  },
  {
    key: "group.answers",
    switches: [
      choice("strictness", "strict", "lenient"),
      choice("duplicate_msgid", "400", "200"),
      choice("new_message_answer", "full", "no_receiver_id", "msgid", "msgid_ref_id"),
      choice("delivery_body", "both", "new", "old"),
      choice("empty_success", "empty", "object"),
      choice("media_download", "on", "off"),
    ],
  },
  {
    key: "group.hooks",
    switches: [
      number("hook_deadline_s", 5, 0.05, 60),
      number("slow_queue_s", 1, 0, 60),
      choice("hook_retry", "none", "once_after_timeout"),
      choice("hook_newline", "unsigned", "none", "signed"),
      choice("hook_phone_email", "empty", "absent"),
      choice("hook_sender_name", "present", "absent"),
      choice("hook_source", "present", "absent"),
      choice("hook_markup", "null", "absent"),
      choice("reaction_hook", "message", "msgid", "both"),
      choice("typing_user", "nested", "top"),
    ],
  },
  {
    key: "group.accounts",
    switches: [
      choice("crm_fault", "none", "slow", "500", "502", "503", "504", "429", "403", "lost_answer"),
      number("crm_fault_requests", 0, 0, 1_000_000, true),
      { name: "crm_fault_call", normal: "" },
      number("crm_limit", 7, 0, 1_000_000, true),
      number("crm_ban_after", 20, 0, 1_000_000, true),
      number("crm_clock_s", 0, -86_400, 1_000_000_000, true),
      choice("oauth_rotation", "strict", "lenient"),
      choice("oauth_refresh_refusal", "400", "401"),
      choice("disposable_audience", "host", "host_port"),
      choice("disposable_is_admin", "present", "absent"),
      choice("source_default", "moves", "refused"),
      choice("install_order", "save_first", "install_first"),
      choice("install_hook", "saved", "clicked", "lost"),
      number("install_hook_delay_s", 0, 0, 120),
      number("install_hook_deadline_s", 3, 0.05, 60),
    ],
  },
];

/** @type {Switch[]} */
export const SWITCHES = GROUPS.flatMap((group) => group.switches);

/** The values that set everything back to normal. */
export const NORMAL = Object.fromEntries(SWITCHES.map(({ name, normal }) => [name, normal]));

/**
 * How many switches do not stand at their normal value.
 *
 * @param {Record<string, string | number>} values
 * @returns {number}
 */
export function changed(values) {
  return SWITCHES.filter(({ name, normal }) => name in values && values[name] !== normal).length;
}
