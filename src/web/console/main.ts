// The entry of the operators' console.

//! With uPlot, Copyright (c) Leon Sorokin: see console.LICENSE.txt

import { CONSOLE_ICONS, ICONS, PAGE_ICONS } from "../icons.ts";
import { Console } from "./console.ts";

Object.assign(ICONS, PAGE_ICONS, CONSOLE_ICONS);

new Console().start();
