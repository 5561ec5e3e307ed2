// Everything a page needs. Each module reads the DOM, listens on document, and stands alone.
import "./theme.js";
import "./panes.js";
import "./patch.js";
import "./socket.js";
import "./tabs.js";
import "./dialogs.js";
import "./keys.js";
import "./palette.js";
import "./composer.js";
import "./drafts.js";
import "./scrubber.js";
import "./editor.js";
import "./fields.js";
import "./stale.js";
import "./copy.js";
import "./toasts.js";
import "./times.js";
