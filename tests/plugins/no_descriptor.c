/* A shared object like any other. */
int hw_not_a_plugin(void);
int hw_not_a_plugin(void) { return 0; }
