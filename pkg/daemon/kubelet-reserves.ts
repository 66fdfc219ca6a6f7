import { addQuantities, formatQuantity, parseQuantity, QuantityError } from '../api/quantity.ts';
import { ConfigError, type NodeReserves } from '../config/index.ts';
import { evictionThresholds, type KubeletOptions, ThresholdError } from '../kubelet/index.ts';

const RESERVABLE = ['cpu', 'memory', 'ephemeral-storage', 'pid'];

type ReserveOptions = Pick<
  KubeletOptions,
  'reserved' | 'eviction' | 'imageGC' | 'maxParallelImagePulls' | 'maxLogSizeBytes' | 'maxLogFiles'
>;

/** What the options say about reserves, eviction, images and logs, as the kubelet wants it. Throws a ConfigError. */
export function kubeletReserves(reserves: NodeReserves): ReserveOptions {
  const { containerLogMaxSizeBytes: maxLogSizeBytes, containerLogMaxFiles: maxLogFiles } = reserves;
  if (maxLogFiles < 2) throw new ConfigError(`--container-log-max-files: ${maxLogFiles} must be at least 2`);
  const { imageGCHighThresholdPercent: high, imageGCLowThresholdPercent: low } = reserves;
  if (high > 100 || low < 0 || low > high) {
    throw new ConfigError(`--image-gc-low-threshold: ${low} must not be more than --image-gc-high-threshold (${high})`);
  }
  const { imageMinimumGCAgeMs: minAgeMs, imageMaximumGCAgeMs: maxAgeMs } = reserves;
  if (maxAgeMs > 0 && maxAgeMs < minAgeMs) {
    throw new ConfigError('--image-maximum-gc-age must not be less than --image-minimum-gc-age');
  }
  return {
    reserved: reserved(reserves),
    eviction: {
      thresholds: thresholds(reserves),
      transitionPeriodMs: reserves.evictionTransitionPeriodMs,
      maxPodGraceSeconds: reserves.evictionMaxPodGraceSeconds,
    },
    ...(reserves.maxParallelImagePulls > 0 ? { maxParallelImagePulls: reserves.maxParallelImagePulls } : {}),
    maxLogSizeBytes,
    maxLogFiles,
    imageGC: {
      highThresholdPercent: high,
      lowThresholdPercent: low,
      minAgeMs,
      ...(maxAgeMs > 0 ? { maxAgeMs } : {}),
    },
  };
}

function thresholds(reserves: NodeReserves): ReturnType<typeof evictionThresholds> {
  try {
    return evictionThresholds({
      hard: reserves.evictionHard,
      soft: reserves.evictionSoft,
      softGracePeriod: reserves.evictionSoftGracePeriod,
      minimumReclaim: reserves.evictionMinimumReclaim,
    });
  } catch (error) {
    if (!(error instanceof ThresholdError)) throw error;
    throw new ConfigError(`options --eviction-*: ${error.message}`, { cause: error });
  }
}

function reserved({ systemReserved, kubeReserved }: NodeReserves): Record<string, string> {
  const sums: Record<string, string> = {};
  for (const item of [...systemReserved, ...kubeReserved]) {
    const at = item.indexOf('=');
    const name = item.slice(0, Math.max(0, at)).trim();
    if (!RESERVABLE.includes(name)) {
      throw new ConfigError(`--system-reserved, --kube-reserved: "${item}" is not RESOURCE=QUANTITY of ${RESERVABLE}`);
    }
    try {
      const amount = parseQuantity(item.slice(at + 1).trim());
      const before = sums[name];
      sums[name] = formatQuantity(before === undefined ? amount : addQuantities(parseQuantity(before), amount));
    } catch (error) {
      if (!(error instanceof QuantityError)) throw error;
      throw new ConfigError(`--system-reserved, --kube-reserved: "${item}": ${error.message}`, { cause: error });
    }
  }
  return sums;
}
