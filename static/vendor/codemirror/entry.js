// The parts of CodeMirror 6 that static/ade/js/editor.js uses, as one ES module.
export { basicSetup, EditorView } from "codemirror";
export { acceptCompletion } from "@codemirror/autocomplete";
export { indentWithTab } from "@codemirror/commands";
export { javascript } from "@codemirror/lang-javascript";
export { json, jsonParseLinter } from "@codemirror/lang-json";
export { markdown } from "@codemirror/lang-markdown";
export { globalCompletion, localCompletionSource, pythonLanguage } from "@codemirror/lang-python";
export { HighlightStyle, indentUnit, LanguageSupport, syntaxHighlighting } from "@codemirror/language";
export { lintGutter, linter, setDiagnostics } from "@codemirror/lint";
export { MergeView, unifiedMergeView } from "@codemirror/merge";
export { search } from "@codemirror/search";
export { Compartment, EditorState, Prec, RangeSet, StateEffect, StateField } from "@codemirror/state";
export { Decoration, gutter, GutterMarker, keymap, placeholder } from "@codemirror/view";
export { styleTags, tags } from "@lezer/highlight";
