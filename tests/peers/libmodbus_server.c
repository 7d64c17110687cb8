/* A libmodbus server under remote control, a counterpart for andon's links.
 *
 * usage: libmodbus_server PORT
 *
 * Holding register n holds n + 1000, input register n holds n + 2000, coils and discrete inputs are set where the
 * number is even. "set ADDRESS VALUE" on standard input writes a holding register; "ready" and "done" are printed.
 */
#include <errno.h>
#include <modbus.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define REGISTERS 4096

static modbus_mapping_t *mapping;

static void *obey(void *unused)
{
    (void)unused;
    char line[128];
    int address, value;
    while (fgets(line, sizeof line, stdin) != NULL) {
        if (sscanf(line, "set %d %d", &address, &value) == 2 && address >= 0 && address < REGISTERS)
            mapping->tab_registers[address] = (uint16_t)value;
        puts("done");
        fflush(stdout);
    }
    exit(0);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: libmodbus_server PORT\n");
        return 2;
    }
    modbus_t *context = modbus_new_tcp("127.0.0.1", atoi(argv[1]));
    mapping = modbus_mapping_new(REGISTERS, REGISTERS, REGISTERS, REGISTERS);
    if (context == NULL || mapping == NULL)
        return 1;
    for (int n = 0; n < REGISTERS; n++) {
        mapping->tab_registers[n] = (uint16_t)(n + 1000);
        mapping->tab_input_registers[n] = (uint16_t)(n + 2000);
        mapping->tab_bits[n] = mapping->tab_input_bits[n] = n % 2 == 0;
    }
    int listener = modbus_tcp_listen(context, 1);
    if (listener < 0) {
        perror("listen");
        return 1;
    }
    puts("ready");
    fflush(stdout);
    pthread_t thread;
    pthread_create(&thread, NULL, obey, NULL);
    for (;;) {
        if (modbus_tcp_accept(context, &listener) < 0)
            continue;
        for (;;) {
            uint8_t request[MODBUS_TCP_MAX_ADU_LENGTH];
            int length = modbus_receive(context, request);
            if (length < 0)
                break;
            if (length > 0)
                modbus_reply(context, request, length, mapping);
        }
        modbus_close(context);
    }
}
