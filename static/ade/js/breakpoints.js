/** In an editor: breakpoints, kept with their lines while the text is edited, and the line at which a recording stands. */

/** @type {any} what CodeMirror needs to be told of them, made once */
let parts;

/** @param {any} cm */
function make(cm) {
  class Dot extends cm.GutterMarker {
    toDOM() {
      const dot = document.createElement("i");
      dot.className = "dot";
      return dot;
    }
  }
  const dot = new Dot();
  const toggled = cm.StateEffect.define({ map: (/** @type {number} */ at, /** @type {any} */ change) => change.mapPos(at) });
  const shown = cm.StateEffect.define();
  const dots = cm.StateField.define({
    create: () => cm.RangeSet.empty,
    update(/** @type {any} */ set, /** @type {any} */ change) {
      return change.effects.filter((/** @type {any} */ one) => one.is(toggled)).reduce(toggle, set.map(change.changes));
    },
  });
  const toggle = (/** @type {any} */ set, /** @type {any} */ { value: at }) => {
    let there = false;
    set.between(at, at, () => void (there = true));
    return there
      ? set.update({ filter: (/** @type {number} */ from) => from !== at })
      : set.update({ add: [dot.range(at)] });
  };
  const here = cm.StateField.define({
    create: () => cm.Decoration.none,
    update(/** @type {any} */ set, /** @type {any} */ change) {
      const effect = change.effects.findLast((/** @type {any} */ one) => one.is(shown));
      if (!effect) return change.docChanged ? cm.Decoration.none : set;
      return effect.value === null ? cm.Decoration.none : cm.Decoration.set([line.range(effect.value)]);
    },
    provide: (/** @type {any} */ field) => cm.EditorView.decorations.from(field),
  });
  const line = cm.Decoration.line({ class: "cm-here" });
  return { EditorView: cm.EditorView, toggled, shown, dots, here };
}

/** @param {any} view @param {number} at */
function flip(view, at) {
  view.dispatch({ effects: parts.toggled.of(view.state.doc.lineAt(at).from) });
  return true;
}

/** @param {any} cm */
export function breakpoints(cm) {
  parts ??= make(cm);
  return [
    parts.dots,
    parts.here,
    cm.gutter({
      class: "cm-breakpoints",
      markers: (/** @type {any} */ view) => view.state.field(parts.dots),
      domEventHandlers: { mousedown: (/** @type {any} */ view, /** @type {any} */ line) => flip(view, line.from) },
    }),
    cm.keymap.of([{ key: "F9", run: (/** @type {any} */ view) => flip(view, view.state.selection.main.head) }]),
  ];
}

/** @param {any} view @returns {Set<number>} numbers of the lines with a breakpoint */
export function breakpointsOf(view) {
  const lines = new Set();
  view?.state.field(parts.dots).between(0, view.state.doc.length, (/** @type {number} */ at) => {
    lines.add(view.state.doc.lineAt(at).number);
  });
  return lines;
}

/** Marks the line, or none, and brings it in sight. @param {any} view @param {number | null} number */
export function standAt(view, number) {
  if (!view) return;
  const { doc } = view.state;
  const at = number === null || number < 1 || number > doc.lines ? null : doc.line(number).from;
  const sight = at === null ? [] : [parts.EditorView.scrollIntoView(at, { y: "nearest", yMargin: 40 })];
  view.dispatch({ effects: [parts.shown.of(at), ...sight] });
}
