// How fast a measured value grows: the slope of a straight line by least
// squares, with its spread.

export interface Sample {
  readonly seconds: number;
  readonly value: number;
}

export interface Slope {
  readonly perHour: number;
  /** Half of the interval that holds the slope in 95 of 100 cases. */
  readonly spread: number;
}

const BLOCKS = 20;
/** The 97.5 % quantile of Student's t, for 18 degrees of freedom. */
const T = 2.101;

/**
 * The line goes through the means of 20 blocks of equal length. Samples that
 * follow each other are alike, so their own scatter would say too small a
 * spread.
 */
export function slope(samples: readonly Sample[]): Slope | undefined {
  if (samples.length < BLOCKS) return undefined;
  const blocks = Array.from({ length: BLOCKS }, (_, i) => {
    const from = Math.floor((i * samples.length) / BLOCKS);
    const to = Math.floor(((i + 1) * samples.length) / BLOCKS);
    return mean(samples.slice(from, to));
  });
  const { seconds: centre, value: level } = mean(blocks);
  const width = sum(blocks, ({ seconds }) => (seconds - centre) ** 2);
  if (width === 0) return undefined;
  const perSecond =
    sum(blocks, ({ seconds, value }) => (seconds - centre) * (value - level)) / width;
  const scatter = sum(
    blocks,
    ({ seconds, value }) => (value - level - perSecond * (seconds - centre)) ** 2,
  );
  const error = Math.sqrt(scatter / (BLOCKS - 2) / width);
  return { perHour: perSecond * 3_600, spread: T * error * 3_600 };
}

function mean(samples: readonly Sample[]): Sample {
  return {
    seconds: sum(samples, ({ seconds }) => seconds) / samples.length,
    value: sum(samples, ({ value }) => value) / samples.length,
  };
}

function sum(samples: readonly Sample[], of: (sample: Sample) => number): number {
  return samples.reduce((total, sample) => total + of(sample), 0);
}
