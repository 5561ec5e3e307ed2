/**
 * Reads a tool's TypeScript source from the standard input and writes what was made out of it as JSON. The source is never run.
 *
 * {name, description, parameters, problems, warnings}: as `agents_core.tools.schema.ToolSchema`;
 * {code, order, required}: the source as a JavaScript module, empty where it cannot be one, and how its function takes its arguments;
 * {throws, literals}: the lines of its throw statements, and its texts and numbers.
 */
"use strict";

const { readFileSync } = require("node:fs");
const { builtinModules } = require("node:module");
const ts = require("./vendor/typescript.js");
const { Types, described, literal, mayBeUndefined } = require("./types.cjs");

const FILE = "tool.ts";
const MOST_PROBLEMS = 100;
const OPTIONS = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, inlineSourceMap: true };
const BUILTIN = new Set(builtinModules);
const INFERRED = new Map([
  ["string", { type: "string" }],
  ["number", { type: "number" }],
  ["boolean", { type: "boolean" }],
]);

class Reader {
  constructor(source) {
    this.file = ts.createSourceFile(FILE, source, OPTIONS.target, true);
    this.told = { name: "", description: "", parameters: { type: "object", properties: {}, required: [] } };
    this.problems = [];
    this.warnings = [];
    this.order = [];
    this.types = new Types(
      this.file,
      (node, message) => this.problems.push(this.at(node, message)),
      (node, message) => this.warnings.push(this.at(node, message)),
    );
  }

  at(node, message) {
    return this.atPosition(node.getStart(this.file), message);
  }

  atPosition(position, message) {
    const { line, character } = this.file.getLineAndCharacterOfPosition(position);
    return { line: line + 1, column: character, message };
  }

  problem(node, message) {
    this.problems.push(this.at(node, message));
  }

  warning(node, message) {
    this.warnings.push(this.at(node, message));
  }

  read(source, wanted) {
    const { outputText, diagnostics } = ts.transpileModule(source, {
      fileName: FILE,
      reportDiagnostics: true,
      compilerOptions: OPTIONS,
    });
    for (const one of diagnostics) {
      const message = ts.flattenDiagnosticMessageText(one.messageText, " ");
      this.problems.push(this.atPosition(one.start ?? 0, `TypeScript cannot read this: ${message}`));
    }
    if (!diagnostics.length) this.readDeclarations(wanted);
    return this.result(diagnostics.length ? "" : outputText);
  }

  result(code) {
    const found = this.nodes();
    return {
      ...this.told,
      problems: this.problems.slice(0, MOST_PROBLEMS),
      warnings: this.warnings.slice(0, MOST_PROBLEMS),
      code,
      order: this.order,
      required: this.told.parameters.required,
      throws: found.filter(ts.isThrowStatement).flatMap((node) => this.lines(node)),
      literals: found.filter((node) => ts.isStringLiteralLike(node) || ts.isNumericLiteral(node)).map(literal),
    };
  }

  nodes() {
    const found = [];
    const visit = (node) => {
      found.push(node);
      ts.forEachChild(node, visit);
    };
    visit(this.file);
    return found;
  }

  lines(node) {
    const first = this.at(node, "").line;
    const last = this.atPosition(node.getEnd(), "").line;
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  }

  readDeclarations(wanted) {
    this.warnOfStrangers();
    const functions = this.file.statements.flatMap(exported);
    const chosen = functions.filter(({ name }) => !wanted || name === wanted).at(-1);
    if (chosen) return this.readFunction(chosen);
    const known = functions.map(({ name }) => `\`${name}\``).join(", ") || "none";
    const start = this.file.statements[0] ?? this.file;
    if (wanted) this.problem(start, `There is no exported function \`${wanted}\`; there is: ${known}.`);
    else this.problem(start, "No function is exported: write `export function my_tool(text: string): string { … }`.");
  }

  readFunction({ name, node }) {
    this.told.name = name;
    const description = described(node);
    this.told.description = [description, ...examples(node)].filter(Boolean).join("\n\n");
    if (!description)
      this.problem(node, `\`${name}\` has no description: put /** … */ above it that says what the tool does, with each parameter behind @param.`);
    for (const parameter of node.parameters) this.readParameter(parameter, Boolean(description));
    const known = new Set(this.order);
    for (const tag of ts.getJSDocTags(node).filter(ts.isJSDocParameterTag)) {
      const told = tag.name.getText(this.file);
      if (!known.has(told.split(".")[0])) this.warning(tag, `The comment describes \`${told}\`, which is no parameter.`);
    }
  }

  readParameter(parameter, isDescribed) {
    if (!ts.isIdentifier(parameter.name) || parameter.dotDotDotToken)
      return this.problem(parameter, `\`${parameter.getText(this.file)}\` cannot be told to a model: name each parameter.`);
    const name = parameter.name.text;
    const description = tagText(ts.getJSDocParameterTags(parameter)[0]);
    if (!description && isDescribed)
      this.problem(parameter, `\`${name}\` has no description: add \`@param ${name} …\` to the comment above the function.`);
    const schema = this.withDefault(this.typeOf(parameter, name), parameter, name);
    this.order.push(name);
    this.told.parameters.properties[name] = description ? { ...schema, description } : schema;
    if (!parameter.questionToken && !parameter.initializer && !mayBeUndefined(parameter.type))
      this.told.parameters.required.push(name);
  }

  /** Its type, or that of its default. */
  typeOf(parameter, name) {
    if (parameter.type) return this.types.schema(parameter.type);
    const inferred = parameter.initializer && INFERRED.get(typeof this.types.value(parameter.initializer));
    if (inferred) return { ...inferred };
    this.problem(parameter, `\`${name}\` has no type: write \`${name}: string\`, or what it is.`);
    return {};
  }

  withDefault(schema, { initializer }, name) {
    if (!initializer || initializer.getText(this.file) === "undefined") return schema;
    const value = this.types.value(initializer);
    if (value === undefined) this.warning(initializer, `The default of \`${name}\` is no plain value, so the model is not told of it.`);
    return value === undefined || value === null ? schema : { ...schema, default: value };
  }

  warnOfStrangers() {
    for (const node of this.file.statements.filter(ts.isImportDeclaration)) {
      const name = node.moduleSpecifier.text;
      const isBuiltin = name.startsWith("node:") || BUILTIN.has(name);
      if (!isBuiltin && !node.importClause?.isTypeOnly)
        this.warning(node, `\`${name}\` is no part of Node.js, and npm packages cannot be installed for tools: use what Node.js has, such as fetch.`);
    }
  }
}

/** The functions that a statement exports: {name, node}. */
function exported(statement) {
  if (!statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return [];
  if (ts.isFunctionDeclaration(statement)) {
    return statement.name && statement.body ? [{ name: statement.name.text, node: statement }] : [];
  }
  const declared = ts.isVariableStatement(statement) ? statement.declarationList.declarations : [];
  return declared
    .filter(({ initializer: value }) => value && (ts.isArrowFunction(value) || ts.isFunctionExpression(value)))
    .map(({ name, initializer }) => ({ name: name.getText(), node: initializer }));
}

function examples(node) {
  const tags = ts.getJSDocTags(node).filter(({ tagName }) => tagName.text === "example");
  return tags.length ? [`Examples:\n${tags.map(tagText).join("\n")}`] : [];
}

/** Without the dash that some put before it. */
function tagText(tag) {
  const text = ts.getTextOfJSDocComment(tag?.comment) ?? "";
  return text.replace(/^-\s*/, "").trim();
}

const { source, function: wanted } = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(new Reader(source).read(source, wanted)));
