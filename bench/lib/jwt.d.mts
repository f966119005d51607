export declare function signJwt(payload: object, secret: string): string;
