// What operators see and do in the console: a real browser against the real server.
// The tests share one server, go on where those before them ended, and are in
// console/ by what the operator does.

import { beforeAll, describe } from "vitest";
import "./console/sign-in.ts";
import "./console/first-day.ts";
import { documents } from "./console/documents.ts";
import { failures } from "./console/failures.ts";
import { keyboard } from "./console/keyboard.ts";
import { looks } from "./console/looks.ts";
import { numbers } from "./console/numbers.ts";
import { arrange, usersHaveAsked } from "./console/operators.ts";
import { questions } from "./console/questions.ts";
import { together } from "./console/together.ts";
import { users } from "./console/users.ts";

arrange();

describe("the console", () => {
  beforeAll(() => usersHaveAsked());

  numbers();
  users();
  questions();
  documents();
  together();
  failures();
  keyboard();
  looks();
});
