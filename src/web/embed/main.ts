// The entry of the element. A page may load it twice.

import { BelayAsk } from "./belay-ask.ts";

if (!customElements.get("belay-ask")) customElements.define("belay-ask", BelayAsk);
