/**
 * CodeMirror on <textarea data-editor="python|typescript|json|markdown|text">. The textarea stays the form field: it holds the
 * text and sends `input`, so htmx triggers and counters work as on a plain one. The 0.7 MB bundle is loaded when the
 * first editor appears. A button with data-goto="id of the textarea" and data-goto-line goes to that line.
 * data-breakpoints on the textarea gives it a gutter for them.
 */
import { breakpoints } from "./breakpoints.js";
import { all, around, onContent } from "./dom.js";
import { reveal } from "./reveal.js";
import { say } from "./words.js";

/**
 * @typedef {{line: number, column: number, message: string, severity: "error" | "warning" | "info"}} Problem
 *   line counts from 1, column from 0
 */

/** @type {Promise<any> | undefined} */
let bundle;
/** @type {WeakMap<Element, any>} the view of a textarea */
const views = new WeakMap();

/** @param {Element | null} area @returns {any} its editor, once there is one */
export const viewOf = (area) => area && views.get(area);

const load = () => (bundle ??= import("../../vendor/codemirror/codemirror.js"));

/** @param {any} cm */
function theme(cm) {
  const { tags: t } = cm;
  const colours = cm.HighlightStyle.define([
    { tag: [t.keyword, t.operatorKeyword, t.modifier], color: "var(--ink-summary)" },
    { tag: [t.function(t.definition(t.variableName)), t.definition(t.className), t.heading], color: "var(--accent)" },
    { tag: t.function(t.variableName), color: "var(--accent)" },
    { tag: [t.typeName, t.className, t.standard(t.variableName), t.propertyName], color: "var(--ink-tools)" },
    { tag: [t.number, t.bool, t.null, t.atom, t.self], color: "var(--ink-core)" },
    { tag: [t.string, t.special(t.string), t.docString], color: "var(--ok)" },
    { tag: [t.comment, t.meta], color: "var(--faint)", fontStyle: "italic" },
    { tag: t.invalid, color: "var(--bad)" },
    { tag: t.strong, fontWeight: "bold" },
    { tag: t.emphasis, fontStyle: "italic" },
    { tag: [t.link, t.url], color: "var(--accent)", textDecoration: "underline" },
  ]);
  const frame = cm.EditorView.theme({
    "&": { backgroundColor: "transparent", color: "var(--text)", fontSize: "12px" },
    "&.cm-focused": { outline: "none" },
    ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.65" },
    ".cm-content": { padding: "10px 0", caretColor: "var(--text)" },
    ".cm-breakpoints .cm-gutterElement": { width: "14px", padding: "0 0 0 4px", cursor: "pointer" },
    ".cm-breakpoints .dot": {
      display: "inline-block",
      width: "8px",
      height: "8px",
      borderRadius: "50%",
      background: "var(--bad-fill)",
    },
    ".cm-here": { backgroundColor: "color-mix(in srgb, var(--pause-fill) 26%, transparent) !important" },
    ".cm-cursor": { borderLeftColor: "var(--text)" },
    ".cm-gutters": { backgroundColor: "var(--bg)", color: "var(--faint)", border: "none" },
    ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--hover)" },
    "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
      background: "var(--pick)",
    },
    ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": { backgroundColor: "var(--pick)", color: "inherit" },
    ".cm-searchMatch": { backgroundColor: "color-mix(in srgb, var(--warn) 30%, transparent)" },
    ".cm-panels, .cm-tooltip": { backgroundColor: "var(--panel)", color: "var(--text)", borderColor: "var(--line)" },
    ".cm-tooltip": { border: "1px solid var(--line-strong)", borderRadius: "var(--r)" },
    ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent)", color: "var(--onaccent)" },
    ".cm-textfield": { backgroundColor: "var(--bg)", borderColor: "var(--line)", color: "var(--text)" },
    ".cm-button": { background: "var(--panel2)", borderColor: "var(--line)", color: "var(--text)" },
    ".cm-foldPlaceholder": { backgroundColor: "var(--panel2)", borderColor: "var(--line)", color: "var(--dim)" },
  });
  return [frame, cm.Prec.highest(cm.syntaxHighlighting(colours))];
}

/**
 * After `import` and `from` the modules named in the textarea's data-modules, elsewhere the text's own names.
 *
 * @param {any} cm @param {HTMLTextAreaElement} area
 */
function names(cm, area) {
  const options = (area.dataset.modules ?? "").split(" ").map((label) => ({ label, type: "namespace" }));
  return (/** @type {any} */ context) => {
    const imported = context.matchBefore(/^\s*(?:import|from)\s+(?:[\w, ]*,\s*)?\w*/);
    if (!imported) return cm.localCompletionSource(context);
    return { from: imported.from + imported.text.search(/\w*$/), options, validFor: /^\w*$/ };
  };
}

/** Python whose annotations are coloured as types. @param {any} cm @param {HTMLTextAreaElement} area */
function python(cm, area) {
  const annotated = cm.pythonLanguage.configure({
    props: [cm.styleTags({ "TypeDef/VariableName TypeDef/MemberExpression/VariableName": cm.tags.typeName })],
  });
  const sources = [names(cm, area), cm.globalCompletion];
  const support = sources.map((source) => annotated.data.of({ autocomplete: source }));
  return [new cm.LanguageSupport(annotated, support), cm.indentUnit.of("    ")];
}

/** @param {any} cm @param {HTMLTextAreaElement} area */
function language(cm, area) {
  const known = /** @type {Record<string, () => unknown>} */ ({
    python: () => python(cm, area),
    typescript: () => [cm.javascript({ typescript: true }), cm.indentUnit.of("  ")],
    json: () => [cm.json(), cm.linter(cm.jsonParseLinter())],
    markdown: () => [cm.markdown(), cm.EditorView.lineWrapping],
    text: () => cm.EditorView.lineWrapping,
  });
  return (known[area.dataset.editor ?? "text"] ?? known.text)();
}

/** @param {any} cm @param {HTMLTextAreaElement} area */
function keys(cm, area) {
  const run = () => {
    const button = /** @type {HTMLElement | null} */ (
      (area.form ?? document).querySelector("[data-run]") ?? document.querySelector("[data-run]")
    );
    button?.click();
    return Boolean(button);
  };
  // basicSetup leaves Tab to the browser; indentWithTab takes it, and Escape gives it back for one press.
  return cm.Prec.high(
    cm.keymap.of([{ key: "Mod-Enter", run }, { key: "Tab", run: cm.acceptCompletion }, cm.indentWithTab]),
  );
}

/** @param {any} cm @param {HTMLTextAreaElement} area */
function sync(cm, area) {
  return cm.EditorView.updateListener.of((/** @type {any} */ update) => {
    if (!update.docChanged) return;
    const text = update.state.doc.toString();
    if (text === area.value) return;
    area.value = text;
    area.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

/** @param {any} cm @param {HTMLTextAreaElement} area */
function build(cm, area) {
  const label = area.getAttribute("aria-label") ?? area.labels?.[0]?.textContent?.trim() ?? say("Code");
  const readOnly = area.readOnly || area.disabled;
  const view = new cm.EditorView({
    doc: area.value,
    extensions: [
      keys(cm, area),
      area.dataset.breakpoints === undefined ? [] : breakpoints(cm),
      cm.basicSetup,
      theme(cm),
      language(cm, area),
      cm.lintGutter(),
      cm.EditorState.readOnly.of(readOnly),
      cm.EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
      sync(cm, area),
    ],
  });
  view.dom.id = `${area.id}-code`;
  view.dom.setAttribute("data-client", "");
  return view;
}

/** @param {HTMLTextAreaElement} area */
async function mount(area) {
  if (area.dataset.mounted === undefined) {
    area.dataset.mounted = "";
    const cm = await load();
    const view = build(cm, area);
    views.set(area, view);
    area.after(view.dom);
    area.labels?.forEach((label) => label.addEventListener("click", () => view.focus()));
  }
  follow(area);
  await markProblems(area);
}

/** The server, or a script, wrote into the textarea. @param {HTMLTextAreaElement} area */
function follow(area) {
  const view = views.get(area);
  if (!view || view.state.doc.toString() === area.value) return;
  view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: area.value } });
}

/** @param {HTMLTextAreaElement} area */
async function markProblems(area) {
  const view = views.get(area);
  const source = document.getElementById(`${area.id}-problems`)?.dataset.problems;
  if (!view || source === undefined) return;
  const { setDiagnostics } = await load();
  const { doc } = view.state;
  const diagnostics = /** @type {Problem[]} */ (JSON.parse(source)).map(({ line, column, message, severity }) => {
    const at = doc.line(Math.max(1, Math.min(line, doc.lines)));
    const from = Math.min(at.from + column, at.to);
    return { from, to: Math.max(from, at.to), message, severity };
  });
  view.dispatch(setDiagnostics(view.state, diagnostics));
}

/** @param {HTMLElement} area @param {number} line */
function goTo(area, line) {
  reveal(area);
  const view = views.get(area);
  if (!view) return area.focus();
  const { doc } = view.state;
  const at = doc.line(Math.max(1, Math.min(line, doc.lines)));
  view.dispatch({ selection: { anchor: at.from }, scrollIntoView: true });
  view.focus();
}

document.addEventListener("click", (event) => {
  const link = around(event, "[data-goto-line]");
  const area = link && document.getElementById(link.dataset.goto ?? "");
  if (area) goTo(area, Number(link.dataset.gotoLine));
});

onContent((root) => {
  const areas = all(root, "textarea[data-editor]");
  for (const problems of all(root, "[data-problems]")) {
    const area = document.getElementById(problems.id.replace(/-problems$/, ""));
    if (area) areas.push(area);
  }
  for (const area of new Set(areas)) void mount(/** @type {HTMLTextAreaElement} */ (area));
});
