/** Set by the build from package.json. */
export const KUBE_LITE_VERSION: string = process.env.KUBE_LITE_VERSION ?? 'development';
