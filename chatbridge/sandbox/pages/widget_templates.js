/** System controls by their name in `/tmpl/controls/….twig`; what a widget puts in is escaped by Twig. */
const CONTROLS = {
  input:
    '<input name="{{ name }}" id="{{ id }}" class="text-input {{ class_name }}" type="{{ type|default("text") }}" value="{{ value }}" placeholder="{{ placeholder }}"{% if disabled %} disabled{% endif %}>',
  textarea:
    '<textarea name="{{ name }}" id="{{ id }}" class="text-input text-input-textarea {{ class_name }}" placeholder="{{ placeholder }}">{{ value }}</textarea>',
  select:
    '<select name="{{ name }}" id="{{ id }}" class="control--select {{ class_name }}">{% for item in items %}<option value="{{ item.id }}"{% if item.id == selected %} selected{% endif %}>{{ item.option }}</option>{% endfor %}</select>',
  checkbox:
    '<label class="control-checkbox {{ class_name }}"><input type="checkbox" name="{{ name }}" id="{{ id }}" value="{{ value }}"{% if checked %} checked{% endif %}> {{ text }}</label>',
  button:
    '<button type="button" id="{{ id }}" class="button-input {% if blue %}button-input_blue {% endif %}{{ class_name }}"><span class="button-input-inner"><span class="button-input-inner__text">{{ text }}</span></span></button>',
  cancel_button:
    '<button type="button" id="{{ id }}" class="button-input button-cancel {{ class_name }}"><span>{{ text }}</span></button>',
  delete_button:
    '<button type="button" id="{{ id }}" class="button-input button-delete {{ class_name }}"><span>{{ text }}</span></button>',
};

/**
 * Render a template as `this.render` does.
 *
 * @param {any} Twig
 * @param {{data?: string, ref?: string, href?: string, base_path?: string, v?: string, load?: (template: any) => void,
 *   promised?: boolean}} wanted
 * @param {Record<string, any>} values
 * @returns {string | Promise<any> | undefined} text of `data` and `ref`; a promise of the template if `promised`
 * @throws {Error} for a system control that this page does not have
 */
export function renderTemplate(Twig, wanted, values) {
  teach(Twig);
  if (wanted.data !== undefined) return Twig.twig({ data: wanted.data }).render(values);
  if (wanted.ref !== undefined) return control(Twig, wanted.ref, values);
  const template = fetch(`${wanted.base_path ?? ""}${wanted.href}?v=${wanted.v ?? ""}`)
    .then((answer) => answer.text())
    .then((data) => Twig.twig({ data }));
  if (wanted.promised) return template;
  void template.then(wanted.load);
  return undefined;
}

function control(Twig, name, values) {
  const data = CONTROLS[name.replace("/tmpl/controls/", "").replace(".twig", "")];
  if (!data) throw new Error(`there is no ${name} here; there are ${Object.keys(CONTROLS).join(", ")}`);
  return Twig.twig({ data, autoescape: true }).render(values);
}

/** Own templates take system controls by `include_control(name, options)`. */
function teach(Twig) {
  Twig.extendFunction("include_control", (name, options = {}) => control(Twig, name, options));
}
