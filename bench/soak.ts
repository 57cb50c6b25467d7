// `npm run soak`: many users ask, disconnect, resume and cancel for minutes.
// Afterwards every user's account must be exact, and workerd must not grow.

import { Caller } from "../conformance/caller.ts";
import { Failure, run, UsageError } from "../scripts/command.ts";
import { flags } from "../scripts/flags.ts";
import { Belay } from "./belay.ts";
import { Inspector } from "./inspector.ts";
import { accounts } from "./soak/accounts.ts";
import { Load } from "./soak/load.ts";
import { Model } from "./soak/model.ts";
import { type Plan, steps } from "./soak/plan.ts";
import { type Sample, type Slope, slope } from "./soak/slope.ts";
import { User } from "./soak/user.ts";
import { refuseOtherSystems } from "./usage.ts";

/** Of the heap, in megabytes an hour. */
const LEAK_MAX = 20;
/** The share of the run before memory is measured. */
const WARM_UP = 0.3;
/** A shorter run is a warm-up as a whole. */
const VERDICT_SECONDS = 300;
const SAMPLE_MS = 1_000;
/** Each collects the garbage first. */
const HEAP_SAMPLE_MS = 10_000;
const PROGRESS_MS = 15_000;
const SHOWN = 20;
/** Longer than a busy machine takes, short enough for a model that is silent. */
const SILENCE_MS = "10000";
/** The share of answers that a slow machine may fail by timeouts. */
const FAILED_MAX = 0.01;
const AWAY_SECONDS = "3";

const HELP = `Asks a server of its own as many users do, and checks every account at the end.

  --minutes N   how long they ask; default 10
  --users N     how many they are; default 200
  --rate N      questions a second, on average; default 20
  --seed N      the plan: what each user does, and when; default 1

Users read answers, ask for JSON, disconnect, resume, cancel, send the same key twice,
and meet a model that fails in six ways. The server is the bundle of a deployment under
plain workerd, as \`npm run serve\` starts it, with data of its own, which is deleted at
the end. The model is scripted.

Prints two slopes after a warm-up of ${WARM_UP * 100} %: of workerd's memory, and of its JavaScript
heap after a collection, which shows what is really kept. Then the differences between what
the server has stored and what the clients saw.

Exit code 1: there is a difference, or the heap grows by more than ${LEAK_MAX} MB an hour even at
the lower end of the interval that holds the slope in 95 of 100 cases, over a run of at
least ${VERDICT_SECONDS / 60} minutes.
Exit code 2: wrong flags.`;

await run(async () => {
  const plan = planOf(
    flags(
      {
        minutes: { type: "string", default: "10" },
        users: { type: "string", default: "200" },
        rate: { type: "string", default: "20" },
        seed: { type: "string", default: "1" },
      },
      HELP,
    ),
  );
  refuseOtherSystems();
  const model = new Model();
  const belay = await Belay.start({
    modelUrl: await model.start(),
    isInspected: true,
    variables: {
      QUOTA_LIMIT: "1000000000",
      // A window that ends in the middle would split the accounts.
      QUOTA_PERIOD: "total",
      FIRST_TOKEN_TIMEOUT_MS: SILENCE_MS,
      TOKEN_GAP_TIMEOUT_MS: SILENCE_MS,
      RESUME_WAIT_SECONDS: AWAY_SECONDS,
    },
  });
  try {
    await soak(plan, belay, model);
  } finally {
    await belay.stop();
    model.stop();
  }
});

async function soak(plan: Plan, belay: Belay, model: Model): Promise<void> {
  const { users: count, seconds, rate, seed } = plan;
  console.log(
    `${count} users ask ${rate} questions a second for ${seconds / 60} minutes; the seed is ${seed}.`,
  );
  const { server } = belay;
  const users = await Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const name = `user-${n}`;
      return new User(name, server.url, await belay.token(name));
    }),
  );
  const inspector = await Inspector.connect(belay.inspectorPort);
  const memory: Sample[] = [];
  const heap: Sample[] = [];
  const load = new Load();
  const sample = (samples: Sample[], value: number) =>
    samples.push({ seconds: load.elapsedMs / 1_000, value });
  const cpuBefore = server.cpuMs;
  const timers = [
    setInterval(() => sample(memory, server.memoryMb), SAMPLE_MS),
    setInterval(() => {
      // A sample that fails is missing, and too few give no slope.
      inspector.heapMb().then(
        (value) => sample(heap, value),
        () => {},
      );
    }, HEAP_SAMPLE_MS),
    setInterval(() => {
      const share = ((server.cpuMs - cpuBefore) / load.elapsedMs) * 100;
      console.log(
        `${clock(load.elapsedMs)}  ${load.done} steps done, ${load.open} in progress; workerd: ` +
          `${megabytes(memory)} MB, heap ${megabytes(heap)} MB, ${share.toFixed(0)} % of a core`,
      );
    }, PROGRESS_MS),
  ];
  try {
    await load.run(steps(plan), (step) => (users[step.user] as User).take(step));
  } finally {
    for (const timer of timers) clearInterval(timer);
    inspector.close();
  }
  const cpuMs = server.cpuMs - cpuBefore;
  console.log(
    `\n${load.done} steps, ${load.late} of them more than a second late; ` +
      `${model.asked} calls of the model; ${(cpuMs / load.done).toFixed(1)} ms of workerd's CPU a step`,
  );
  const measured = (samples: readonly Sample[]) =>
    samples.filter(({ seconds: at }) => at >= WARM_UP * seconds && at <= seconds);
  const heapSlope = slope(measured(heap));
  const span = `from ${clock(WARM_UP * seconds * 1_000)} to ${clock(seconds * 1_000)}`;
  console.log(
    `Memory of workerd (VmRSS each second, ${span}): ${inWords(slope(measured(memory)))}`,
  );
  console.log(
    `JavaScript heap after a collection (every ${HEAP_SAMPLE_MS / 1_000} s, ${span}): ${inWords(heapSlope)}`,
  );

  const operator = new Caller(server.url, await belay.token("operator", true));
  const found = await accounts(users, operator);
  const differences = users.flatMap((user) =>
    user.book.differences(found.get(user)).map((difference) => `${user.name}: ${difference}`),
  );
  if (model.open > 0) differences.push(`${model.open} calls of the model go on`);
  const sum = (state: "charged" | "refunded") =>
    users.reduce((total, { book }) => total + book.count(state), 0);
  console.log(
    `Accounts of ${count} users: ${sum("charged")} charged, ${sum("refunded")} refunded; ` +
      `${differences.length} differences`,
  );
  list(differences);
  const failures = users.flatMap((user) =>
    user.failures.map((failure) => `${user.name}: ${failure}`),
  );
  console.log(`${failures.length} answers failed, and were refunded, though the model did not`);
  list(failures);
  if (differences.length > 0) throw new Failure("Accounts differ from what the clients saw.");
  if (failures.length > FAILED_MAX * load.done) {
    throw new Failure("Too many answers failed: this machine is too slow for --rate.");
  }
  if (seconds < VERDICT_SECONDS || heapSlope === undefined) return;
  if (heapSlope.perHour - heapSlope.spread > LEAK_MAX) {
    throw new Failure(`The heap grows by more than ${LEAK_MAX} MB an hour.`);
  }
}

function list(lines: readonly string[]): void {
  for (const line of lines.slice(0, SHOWN)) console.log(`  ${line}`);
  if (lines.length > SHOWN) console.log(`  and ${lines.length - SHOWN} more`);
}

function inWords(grows: Slope | undefined): string {
  if (grows === undefined) return "too few samples for a slope";
  const { perHour, spread } = grows;
  return (
    `${signed(perHour)} MB an hour, ` +
    `95 % interval ${signed(perHour - spread)} to ${signed(perHour + spread)}`
  );
}

function megabytes(samples: readonly Sample[]): string {
  return samples.at(-1)?.value.toFixed(0) ?? "-";
}

function planOf(typed: Readonly<Record<"minutes" | "users" | "rate" | "seed", string>>): Plan {
  return {
    seconds: amount("minutes", typed.minutes) * 60,
    users: Math.ceil(amount("users", typed.users)),
    rate: amount("rate", typed.rate),
    seed: amount("seed", typed.seed),
  };
}

function amount(flag: string, typed: string): number {
  const value = Number(typed);
  if (typed.trim() === "" || !(value > 0) || !Number.isFinite(value)) {
    throw new UsageError(`--${flag} takes a number above 0.`);
  }
  return value;
}

function clock(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  return `${String(Math.floor(seconds / 60)).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
}

function signed(value: number): string {
  return `${value < 0 ? "-" : "+"}${Math.abs(value).toFixed(0)}`;
}
