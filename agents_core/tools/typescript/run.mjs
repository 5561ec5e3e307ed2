/**
 * Calls the function of a tool in the process that is shut in. In $TMPDIR stand tool.mjs and call.json: {function, order, required,
 * arguments, proxy}; it leaves report.json there: {value}, or {error, traceback} in the tool's own lines.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import tls from "node:tls";

const FOLDER = process.env.TMPDIR;
const OWN_FRAME = /^\s+at (?:(.*?) \()?(?:file:\/\/)?\/.*\btool\.ts:(\d+):\d+\)?$/;
const DISPATCHER = Symbol.for("undici.globalDispatcher.1");

/** What JSON cannot hold, as the nearest that it can. */
function plain(_key, value) {
  if (typeof value === "bigint" || typeof value === "function" || typeof value === "symbol") return String(value);
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (value instanceof Map) return Object.fromEntries(value);
  if (value instanceof Set) return [...value];
  return value instanceof Error ? String(value) : value;
}

function finish(report) {
  writeFileSync(`${FOLDER}/report.json`, JSON.stringify(report, plain));
  process.exit(0);
}

function fail(error) {
  const { name, message } = error instanceof Error ? error : { name: "Error", message: `${error} was thrown` };
  const cause = error?.cause instanceof Error ? `: ${error.cause.message}` : "";
  const summary = `${name}: ${message}${cause}`.split(/\s+/).join(" ").slice(0, 1000);
  const frames = String(error?.stack ?? "").split("\n").map((line) => OWN_FRAME.exec(line)).filter(Boolean);
  const shown = frames.slice(0, 30).map(([, where, line]) => `    at ${where ?? "<module>"} (tool.ts:${line})`);
  const line = frames.length ? ` (line ${frames[0][2]})` : "";
  finish({ error: summary + line, traceback: frames.length ? [summary, ...shown].join("\n") : "" });
}

/** The values in the order of the function's parameters. @returns {unknown[]} */
function positional({ function: name, order, required, arguments: given }) {
  const missing = required.filter((one) => !Object.hasOwn(given, one));
  const unknown = Object.keys(given).filter((one) => !order.includes(one));
  const trouble = [...missing.map((one) => `misses ${one}`), ...unknown.map((one) => `has no parameter ${one}`)];
  if (trouble.length) throw new TypeError(`${name} ${trouble.join(", ")}; it takes: ${order.join(", ") || "no arguments"}`);
  return order.map((one) => (Object.hasOwn(given, one) ? given[one] : undefined));
}

/** A connection to a host through the proxy, which is at the other end of every socket. Node heeds no HTTP_PROXY by itself. */
function connector(proxy) {
  return ({ hostname, host, port, protocol, servername }, done) => {
    const name = hostname ?? host;
    const secure = protocol === "https:";
    const socket = net.connect(Number(proxy.port), proxy.hostname);
    const target = `${name}:${port || (secure ? 443 : 80)}`;
    socket.once("error", done);
    socket.once("data", (head) => {
      const [line] = head.toString("latin1").split("\r\n");
      socket.off("error", done);
      if (!/^HTTP\/1\.1 200 /.test(line)) return done(new Error(line.replace(/^\S+ \d+ /, "")));
      if (!secure) return done(null, socket);
      const encrypted = tls.connect({ socket, servername: servername || name, ALPNProtocols: ["http/1.1"] });
      encrypted.once("secureConnect", () => done(null, encrypted)).once("error", done);
    });
    socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
  };
}

function reachThrough(proxy) {
  void Response; // Asked for first, it makes the dispatcher of fetch.
  const connect = connector(new URL(proxy));
  globalThis[DISPATCHER] = new globalThis[DISPATCHER].constructor({ connect });
  for (const [agent, protocol] of [[http.globalAgent, "http:"], [https.globalAgent, "https:"]]) {
    agent.createConnection = (options, done) => void connect({ ...options, protocol }, done);
  }
}

process.on("uncaughtException", fail);
try {
  const call = JSON.parse(readFileSync(`${FOLDER}/call.json`, "utf8"));
  rmSync(`${FOLDER}/call.json`);
  if (call.proxy) reachThrough(call.proxy);
  const tool = await import(`${FOLDER}/tool.mjs`);
  finish({ value: (await tool[call.function](...positional(call))) ?? null });
} catch (error) {
  fail(error);
}
