export declare function cpuSeconds(root: number): number;
export declare function memoryMiB(root: number): number;
export declare function machineCpu(): { busy: number; steal: number };
export declare function sleep(ms: number): Promise<void>;
export declare function stopTree(root: number): Promise<void>;
