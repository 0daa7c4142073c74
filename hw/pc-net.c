/* SPDX-License-Identifier: MIT */
/* Network cards of the board: which model, which MAC address, and whose network. */
#include <stdio.h>
#include <string.h>

#include "hw/e1000.h"
#include "hw/ne2k-pci.h"
#include "hw/pc-internal.h"
#include "hw/pc.h"
#include "hw/rtl8139.h"
#include "hw/virtio-net.h"
#include "softmmu/error.h"

typedef struct CardModel {
    const char *name, *rom; /* the ROM boots from the network */
    Device *(*create)(PciBus *bus, int devfn, AddressSpace *memory, NetCable *cable,
                      const uint8_t mac[6]);
    Device *(*create_timed)(PciBus *bus, int devfn, AddressSpace *memory, Clock *clock,
                            NetCable *cable, const uint8_t mac[6]); /* instead: it has a timer */
} CardModel;

/* The first is the board's own choice. */
static const CardModel models[] = {
    { "e1000", "efi-e1000.rom", e1000_new },
    { "ne2k_pci", "efi-ne2k_pci.rom", ne2k_pci_new },
    { "rtl8139", "efi-rtl8139.rom", .create_timed = rtl8139_new },
    { "virtio-net-pci", "efi-virtio.rom", virtio_net_new },
    { "virtio", "efi-virtio.rom", virtio_net_new }, /* as -nic calls it, not told of */
};

void pc_print_nic_models(GString *out)
{
    g_string_append(out, "Supported NIC models:\n");
    for (size_t i = 0; i + 1 < G_N_ELEMENTS(models); i++)
        g_string_append_printf(out, "%s\n", models[i].name);
}

static const CardModel *find_model(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(models); i++) {
        if (!strcmp(models[i].name, name))
            return &models[i];
    }
    return NULL;
}

/* 52:54:00:12:34:56 and on, as users know them. */
static bool choose_mac(PcBoard *b, const char *text, uint8_t mac[6], GError **error)
{
    const uint8_t first[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };
    unsigned n[6];
    int end = 0;

    memcpy(mac, first, 6);
    mac[5] += b->cards++;
    if (!text)
        return true;
    if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &n[0], &n[1], &n[2], &n[3], &n[4], &n[5], &end) !=
            6 ||
        text[end] || (n[0] & 1)) {
        error_set(error, "'%s' is not the MAC address of a card", text);
        return false;
    }
    for (unsigned i = 0; i < 6; i++)
        mac[i] = n[i];
    return true;
}

/* May a card have that cable again? Until the board is built none says that it has one. */
static bool is_free(const PcBoard *b, const NetCable *known)
{
    return b->built && !net_is_connected(known);
}

/* The cable of a card: to the network @id, or to nowhere. */
static NetCable *make_cable(PcBoard *b, const CardModel *model, const char *id, GError **error)
{
    Machine *m = b->m;
    g_autofree char *loose = NULL;
    void *backend = NULL;
    NetCable *known;

    if (!id) {
        loose = g_strdup_printf("#card%u", b->cards);
        return net_cable_new(&b->dev, loose, m->input, NULL);
    }
    known = net_cable_find(&b->dev, id);
    if (known && is_free(b, known) && !net_is_cut(known))
        return known;
    if (known && !is_free(b, known)) {
        error_set(error, "Property '%s.netdev' can't take value '%s', it's in use", model->name,
                  id);
        return NULL;
    }
    if (!m->nets || !g_hash_table_lookup_extended(m->nets, id, NULL, &backend)) {
        error_set(error, "Property '%s.netdev' can't find value '%s'", model->name, id);
        return NULL;
    }
    g_hash_table_remove(m->nets, id);
    if (known) {
        net_join(known, backend);
        return known;
    }
    return net_cable_new(&b->dev, id, m->input, backend);
}

static bool give_rom(PcBoard *b, const CardModel *model, Device *card, RomChoice choice,
                     GError **error)
{
    g_autofree char *block = g_strdup_printf("%s.rom", card->id);

    choice.usual = model->rom;
    choice.block = block;
    choice.optional = true;
    return pc_load_rom(b, &choice, &((PciDevice *)card)->rom, error);
}

typedef struct CardOption {
    const char *netdev, *mac;
    RomChoice rom;
    int devfn;
} CardOption;

/* NULL with @error. */
static Device *create_card(PcBoard *b, const CardModel *model, const CardOption *o, GError **error)
{
    Device *card;
    uint8_t address[6];
    NetCable *cable;

    if (!choose_mac(b, o->mac, address, error))
        return NULL;
    cable = make_cable(b, model, o->netdev, error);
    if (!cable)
        return NULL;
    if (model->create)
        card = model->create(b->pci, o->devfn, b->m->memory, cable, address);
    else
        card = model->create_timed(b->pci, o->devfn, b->m->memory, b->m->clock, cable, address);
    return give_rom(b, model, card, o->rom, error) ? card : NULL;
}

bool pc_create_nics(PcBoard *b, GError **error)
{
    const GPtrArray *nics = b->m->config->nics;

    for (guint i = 0; nics && i < nics->len; i++) {
        const NicOption *n = nics->pdata[i];
        const CardModel *model = find_model(n->model ? n->model : models[0].name);

        if (!model) {
            error_set(error, "Unsupported NIC model: %s", n->model);
            return false;
        }
        CardOption own = { .netdev = n->netdev, .mac = n->mac, .devfn = -1 };

        if (!create_card(b, model, &own, error))
            return false;
    }
    return true;
}

bool pc_create_net_device(PcBoard *b, const DeviceOption *o, GError **error)
{
    const CardModel *model = find_model(o->driver);
    CardOption own = { .netdev = g_hash_table_lookup(o->props, "netdev"),
                       .mac = g_hash_table_lookup(o->props, "mac") };
    Device *card;

    if (!pc_device_slot(o, &own.devfn, error) || !pc_rom_choice(o, &own.rom, error))
        return false;
    card = create_card(b, model, &own, error);
    return card && (model->create != virtio_net_new || pc_set_virtio_registers(o, card, error)) &&
           pc_order_pci(b, o, card, "ethernet", "ethernet-phy@0", error);
}
