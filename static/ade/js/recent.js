/** The places that this browser was at last, for the palette: newest first. */
import { recall, remember } from "./store.js";

/** @typedef {{href: string, text: string, noun: string}} Place */

const KEEP = 12;
const NOUNS = /** @type {Record<string, string>} */ ({
  agents: "agent",
  tools: "tool",
  blocks: "block",
  folders: "folder",
  groups: "group",
  "mcp-servers": "MCP server",
});

/** @returns {Place[]} */
export const recentPlaces = () => recall("palette", /** @type {Place[]} */ ([]));

/** @param {string} href */
const without = (href) => recentPlaces().filter((place) => place.href !== href);

/** @param {Place} place */
export function keepPlace(place) {
  remember("palette", [place, ...without(place.href)].slice(0, KEEP));
}

const [, collection, id] = location.pathname.split("/");
const title = document.querySelector(".crumbs h1, .crumbs b")?.textContent?.trim();
// What was deleted is no place to go back to.
if (document.querySelector("#col-main .error")) remember("palette", without(location.pathname));
else if (NOUNS[collection] && id && id !== "new" && title)
  keepPlace({ href: `/${collection}/${id}`, text: title, noun: NOUNS[collection] });
