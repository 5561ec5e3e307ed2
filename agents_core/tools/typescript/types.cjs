/** TypeScript's types as JSON Schema, read from the syntax tree. */
"use strict";

const ts = require("./vendor/typescript.js");
const { SyntaxKind: Kind } = ts;

/** @typedef {Record<string, any>} Schema */

const PLAIN = new Map([
  [Kind.StringKeyword, { type: "string" }],
  [Kind.TemplateLiteralType, { type: "string" }],
  [Kind.NumberKeyword, { type: "number" }],
  [Kind.BooleanKeyword, { type: "boolean" }],
  [Kind.ObjectKeyword, { type: "object" }],
  [Kind.AnyKeyword, {}],
  [Kind.UnknownKeyword, {}],
]);
const LISTS = new Set(["Array", "ReadonlyArray"]);
const KNOWN =
  "string, number, boolean, T[], [T, U], 'a' | 'b', Record<string, T>, { name: T }, any, or an interface, type or enum of this source";
const INSTEAD = new Map([
  ["Date", "string, and say in its description that it is ISO 8601"],
  ["Map", "Record<string, T>"],
  ["Set", "T[]"],
  ["Promise", "the type of what it gives"],
  ["Function", "a union of texts, such as 'a' | 'b', with the names of the choices"],
  ["Uint8Array", "string, and say how the bytes are encoded"],
  ["Buffer", "string, and say how the bytes are encoded"],
]);

class Types {
  /** @param {any} file the source's syntax tree @param {(node: any, message: string) => void} report @param {(node: any, message: string) => void} warn */
  constructor(file, report, warn) {
    this.file = file;
    this.report = report;
    this.warn = warn;
    this.open = new Set();
    this.named = new Map();
    for (const node of file.statements) {
      if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node) || ts.isEnumDeclaration(node))
        this.named.set(node.name.text, node);
    }
  }

  /** The schema of a type; an empty one, which allows everything, where it was reported instead. @returns {Schema} */
  schema(node) {
    if (PLAIN.has(node.kind)) return { ...PLAIN.get(node.kind) };
    if (ts.isParenthesizedTypeNode(node) || ts.isTypeOperatorNode(node) || ts.isNamedTupleMember(node)) {
      if (node.operator === undefined || node.operator === Kind.ReadonlyKeyword) return this.schema(node.type);
    }
    if (ts.isArrayTypeNode(node)) return { type: "array", items: this.schema(node.elementType) };
    if (ts.isTupleTypeNode(node)) return this.tuple(node);
    if (ts.isUnionTypeNode(node)) return this.union(node);
    if (ts.isIntersectionTypeNode(node)) return joined(node.types.map((one) => this.schema(one)));
    if (ts.isLiteralTypeNode(node) && literal(node.literal) !== undefined) return enumeration([literal(node.literal)]);
    if (ts.isTypeLiteralNode(node)) return this.record(node.members);
    if (ts.isTypeReferenceNode(node) || ts.isExpressionWithTypeArguments(node)) return this.reference(node);
    return this.refuse(node, `\`${this.text(node)}\` cannot be told to a model: use ${KNOWN}`);
  }

  refuse(node, reason) {
    this.report(node, `${reason[0].toUpperCase()}${reason.slice(1)}.`);
    return {};
  }

  text(node) {
    return node.getText(this.file);
  }

  tuple(node) {
    const items = node.elements.map((one) => this.schema(one));
    return { type: "array", prefixItems: items, minItems: items.length, maxItems: items.length };
  }

  /** The fixed values together, then the other types: `anyOf` where these are several. What is undefined may be left out. */
  union(node) {
    const types = alternatives(node).filter((one) => !isUndefined(one));
    const fixed = types.filter(ts.isLiteralTypeNode).map((one) => literal(one.literal)).filter((one) => one !== undefined);
    const schemas = types.filter((one) => !ts.isLiteralTypeNode(one)).map((one) => this.schema(one));
    if (fixed.length) schemas.push(enumeration(fixed));
    return schemas.length === 1 ? schemas[0] : { anyOf: schemas };
  }

  reference(node) {
    const name = this.text(node.typeName ?? node.expression);
    const inner = node.typeArguments ?? [];
    if (this.named.has(name)) return this.declared(node, name, this.named.get(name));
    if (LISTS.has(name) && inner.length === 1) return { type: "array", items: this.schema(inner[0]) };
    if (name === "Record" && inner.length === 2) return this.mapping(inner[0], inner[1]);
    if (name === "Readonly" && inner.length === 1) return this.schema(inner[0]);
    if (name === "Partial" && inner.length === 1) return { ...this.schema(inner[0]), required: [] };
    const instead = INSTEAD.get(name) ?? `one of ${KNOWN}`;
    return this.refuse(node, `type \`${this.text(node)}\` cannot be told to a model: use ${instead}`);
  }

  mapping(key, value) {
    const names = ts.isUnionTypeNode(key) || ts.isLiteralTypeNode(key) ? this.schema(key).enum : undefined;
    if (!names) return { type: "object", additionalProperties: this.schema(value) };
    const properties = Object.fromEntries(names.map((name) => [name, this.schema(value)]));
    return { type: "object", properties, required: names.map(String) };
  }

  declared(node, name, declaration) {
    if (ts.isEnumDeclaration(declaration)) return enumeration([...members(declaration).values()]);
    if (declaration.typeParameters) return this.refuse(node, `\`${name}\` takes types itself: write out what it stands for here`);
    if (this.open.has(name)) return this.refuse(node, `\`${name}\` contains itself: a model cannot be told types without an end`);
    this.open.add(name);
    const schema = ts.isTypeAliasDeclaration(declaration) ? this.schema(declaration.type) : this.interface(declaration);
    this.open.delete(name);
    const description = described(declaration);
    return description ? { ...schema, description } : schema;
  }

  interface(declaration) {
    const bases = (declaration.heritageClauses ?? []).flatMap((clause) => clause.types.map((one) => this.schema(one)));
    for (const member of declaration.members.filter((one) => ts.isPropertySignature(one) && !described(one)))
      this.warn(member, `A model is told no more of \`${this.text(member.name)}\` than its name: put /** … */ on the line above it.`);
    return joined([...bases, this.record(declaration.members)]);
  }

  record(nodes) {
    const schema = { type: "object", properties: {}, required: [] };
    for (const member of nodes) {
      if (ts.isPropertySignature(member)) this.property(schema, member);
      else if (ts.isIndexSignatureDeclaration(member)) schema.additionalProperties = this.schema(member.type);
      else this.refuse(member, `\`${this.text(member)}\` cannot be told to a model: an object has named values only`);
    }
    return schema;
  }

  property(schema, member) {
    const name = member.name.text ?? this.text(member.name);
    const description = described(member);
    const told = member.type ? this.schema(member.type) : {};
    schema.properties[name] = description ? { ...told, description } : told;
    if (!member.questionToken && !mayBeUndefined(member.type)) schema.required.push(name);
  }

  /** The JSON data that a default is: undefined where it is none. */
  value(node) {
    if (ts.isPropertyAccessExpression(node)) {
      const declaration = this.named.get(this.text(node.expression));
      return declaration && ts.isEnumDeclaration(declaration) ? members(declaration).get(node.name.text) : undefined;
    }
    return literal(node);
  }
}

function alternatives(node) {
  return ts.isUnionTypeNode(node) ? node.types.flatMap(alternatives) : [node];
}

function isUndefined(node) {
  return node.kind === Kind.UndefinedKeyword || node.kind === Kind.VoidKeyword;
}

function mayBeUndefined(node) {
  return Boolean(node) && alternatives(node).some(isUndefined);
}

/** What a literal, a list or an object of literals is: undefined for anything else. */
function literal(node) {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isNumericLiteral(node)) return Number(node.text);
  if (node.kind === Kind.TrueKeyword) return true;
  if (node.kind === Kind.FalseKeyword) return false;
  if (node.kind === Kind.NullKeyword) return null;
  if (ts.isPrefixUnaryExpression(node) && node.operator === Kind.MinusToken && ts.isNumericLiteral(node.operand))
    return -Number(node.operand.text);
  if (ts.isArrayLiteralExpression(node)) return whole(node.elements.map(literal));
  if (ts.isObjectLiteralExpression(node)) return object(node);
  return undefined;
}

function whole(values) {
  return values.includes(undefined) ? undefined : values;
}

function object(node) {
  const pairs = node.properties.map((one) => (ts.isPropertyAssignment(one) ? [one.name.text, literal(one.initializer)] : []));
  return pairs.every(([name, value]) => name !== undefined && value !== undefined) ? Object.fromEntries(pairs) : undefined;
}

/** @param {any[]} values @returns {Schema} */
function enumeration(values) {
  if (values.length === 1 && values[0] === null) return { type: "null" };
  const kinds = new Set(values.map((one) => (one === null ? "null" : typeof one)));
  const [kind] = kinds;
  return kinds.size === 1 ? { type: kind, enum: values } : { enum: values };
}

/** The values of an enum, by name. */
function members(declaration) {
  const values = new Map();
  let next = 0;
  for (const member of declaration.members) {
    const value = member.initializer ? literal(member.initializer) : next;
    next = Number(value) + 1;
    values.set(member.name.text, value);
  }
  return values;
}

/** All that several objects ask for. @param {Schema[]} schemas */
function joined(schemas) {
  const properties = Object.assign({}, ...schemas.map((one) => one.properties));
  return { type: "object", properties, required: [...new Set(schemas.flatMap((one) => one.required ?? []))] };
}

/** What the comments above a node say, without their tags. */
function described(node) {
  const texts = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc).map((one) => ts.getTextOfJSDocComment(one.comment) ?? "");
  return texts.join("\n\n").trim();
}

module.exports = { Types, described, literal, mayBeUndefined };
