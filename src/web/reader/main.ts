// The entry of the reader's page.

import { Page } from "./page.ts";

new Page().start();
