export declare function psql(database: string, sql: string): string;
export declare function cloneDb(name: string): string;
