/**
 * Define `lib/components/base/modal`: a window above the page, with the class names that widgets look for.
 *
 * `new Modal({class_name, init($body), destroy()})`; Esc, the cross and a click beside it close it.
 *
 * @param {(name: string, dependencies: string[], factory: Function) => void} define
 */
export function defineModal(define) {
  define("lib/components/base/modal", ["jquery"], ($) => {
    const open = [];
    /** The page behind a window takes neither focus nor clicks. */
    const settle = () =>
      $(document.body)
        .children("header, main")
        .prop("inert", open.length > 0);

    function Modal(options = {}) {
      this.options = options;
      const name = options.class_name ?? "";
      this.$el = $(
        '<div class="modal modal-list"><div class="modal-scroller custom-scroll"><div class="modal-body modal-body-relative" role="dialog" aria-modal="true" tabindex="-1"></div></div></div>',
      ).addClass(name);
      this.$body = this.$el.find(".modal-body");
      this.before = document.activeElement;
      this.$el.on("click", ".modal-body__close", () => this.destroy());
      this.$el.on("mousedown", ".modal-scroller", (event) => {
        if (event.target === event.currentTarget) this.destroy();
      });
      $(document.body).append(this.$el);
      open.push(this);
      settle();
      options.init?.call(this, this.$body);
      this.$body.trigger("focus");
    }

    Modal.prototype = {
      constructor: Modal,
      destroy() {
        if (!open.includes(this)) return;
        open.splice(open.indexOf(this), 1);
        settle();
        this.options.destroy?.call(this);
        this.$el.remove();
        this.before?.focus?.();
      },
      _showError(text) {
        this.$body.find(".modal-body__error").remove();
        this.$body.prepend($('<p class="modal-body__error" role="alert"></p>').text(text));
      },
    };

    $(document).on("keydown", (event) => {
      if (event.key === "Escape") open.at(-1)?.destroy();
    });
    return Modal;
  });
}
