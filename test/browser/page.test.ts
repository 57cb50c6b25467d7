// What readers do and see on the page: a real browser against the real server. The
// tests share one server, and are in page/ by what the reader does.

import "./page/asking.ts";
import "./page/connection.ts";
import "./page/history.ts";
import "./page/leaving.ts";
import "./page/looks.ts";
import "./page/readers.ts";
import "./page/refusals.ts";
import "./page/returning.ts";
import { arrange } from "./page/visits.ts";

arrange();
