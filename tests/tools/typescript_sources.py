"""TypeScript tools for tests."""

ORDER = """
/** One line of an order. */
interface Line extends Numbered {
  /** What. */
  item: string;
  /** How large. */
  size?: Size;
  tags: readonly string[];
}
interface Numbered {
  /** From 1. */
  line: number;
}
enum Size { Small = "s", Large = "l" }
type Unit = "c" | "f";

/**
 * Orders things.
 * Twice.
 *
 * @param lines - What is wanted,
 *   in order.
 * @param by Who.
 * @param unit Degrees.
 * @param prices By name.
 * @param size How large.
 * @example order([])
 */
export async function order(
  lines: Line[],
  by: string | null,
  unit: Unit = "c",
  prices: Record<string, number>,
  size = Size.Small,
): Promise<string> {
  return unit;
}
"""


def tool(parameters: str, types: str = "") -> str:
    """A tool with these parameters, each described; ``types`` stand above it on the first line."""
    names = [part.partition(":")[0].strip(" ?") for part in parameters.split(";") if part.strip()]
    told = " ".join(f"@param {name} It." for name in names)
    return f"{types}\n/** Does. {told} */\nexport function f({parameters.replace(';', ',')}): void {{}}\n"


CALLED = """
interface Sum { total: number; words: string }

/** Adds. @param x One. @param y Other. @param words Said. */
export function add(x: number, y?: number, words: string = "none"): Sum {
  console.log("printed");
  console.error("complained");
  return { total: x + (y ?? 10), words };
}

/** Fails. @param x It. */
export async function fail(x: number): Promise<void> {
  await null;
  if (x < 0) throw new RangeError("below zero");
  inner(x);
}

function inner(x: number): never {
  throw new TypeError("no " + x, { cause: new Error("because") });
}

/** Waits. */
export const wait = (): Promise<void> => new Promise(() => {});

/** Leaves. */
export function leave(): void { process.exit(3); }

/** Throws later. */
export async function later(): Promise<void> {
  setTimeout(() => { throw new Error("late"); }, 1);
  await new Promise(() => {});
}

/** Eats. */
export function eat(): void {
  const all: unknown[] = [];
  for (;;) all.push(new Array(1_000_000).fill(1.5));
}

/** Spins. */
export function spin(): void { for (;;); }

/** Gives. */
export function give(): unknown {
  const given = [10n, NaN, new Map([["a", new Set([1])]]), new Date(0), undefined, () => 1, new Error("told")];
  return { given, name: process.env.NAME, seen: Object.keys(process.env).sort() };
}

/** Gives much. */
export function much(): string { return "x".repeat(5_000_000); }

/** Writes in place of the report. */
export async function forge(): Promise<void> {
  const { writeFileSync } = await import("node:fs");
  writeFileSync(process.env.TMPDIR + "/report.json", '["not", "ours"]');
  process.exit(0);
}

/** Asks. @param url Whom. */
export async function ask(url: string): Promise<string> { return await (await fetch(url)).text(); }

/** Asks. @param url Whom. */
export async function askOld(url: string): Promise<string> {
  const { get } = url.startsWith("https:") ? await import("node:https") : await import("node:http");
  return await new Promise((done, failed) => {
    get(url, (answer) => answer.setEncoding("utf8").once("data", done)).once("error", failed);
  });
}
"""
