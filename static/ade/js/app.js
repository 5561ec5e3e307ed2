// Everything a page needs. Each module reads the DOM, listens on document, and stands alone.
import "./theme.js";
import "./panes.js";
import "./patch.js";
import "./socket.js";
import "./tabs.js";
import "./reveal.js";
import "./dialogs.js";
import "./keys.js";
import "./focus.js";
import "./refused.js";
import "./recent.js";
import "./palette.js";
import "./tour.js";
import "./composer.js";
import "./drafts.js";
import "./scrubber.js";
import "./turns.js";
import "./late.js";
import "./editor.js";
import "./stepper.js";
import "./fields.js";
import "./stale.js";
import "./copy.js";
import "./toasts.js";
import "./title.js";
import "./notices.js";
import "./times.js";
import "./rows.js";
import "./rules.js";
import "./debugger.js";
import "./upload.js";

// Keys are heard from here on: tests wait for it.
document.documentElement.dataset.ready = "";
