/* SPDX-License-Identifier: MIT */
/*
 * What controllers do to Ethernet frames: check sequences (IEEE 802.3, 3.2.9), the hash of group
 * addresses, Internet checksums (RFC 1071), and TCP or UDP data cut into packets. Frames begin with
 * the destination; nothing here is longer than the caller says.
 */
#ifndef HW_ETHERNET_H
#define HW_ETHERNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ETHER_FCS       4  /* bytes that the wire adds to a frame */
#define ETHER_MIN_FRAME 60 /* bytes without them */

uint32_t ether_fcs(const uint8_t *data, size_t len); /* goes little-endian behind the frame */
unsigned ether_group_bit(const uint8_t address[6]);  /* 0 to 63: the upper bits of its CRC */
bool ether_is_broadcast(const uint8_t address[6]);

uint16_t net_fold(uint32_t sum); /* to 16 bits, with carries around */
/* The sum of [start, end] goes to @at; @end 0 is the frame's own. What is there before counts: it
 * is the pseudo header's sum. */
void net_put_checksum(uint8_t *frame, uint32_t len, uint32_t start, uint32_t at, uint32_t end);

/* How a frame is cut: where its IP and TCP or UDP headers and the latter's checksum begin, where
 * data begin, and how much of them a packet has. */
typedef struct NetSegmenting {
    uint8_t ip, l4, sum, data;
    uint16_t mss;
    bool tcp, ipv4;
} NetSegmenting;

bool net_can_segment(const NetSegmenting *s, uint32_t len); /* all of that within @len, and sense */
/* Lengths, numbers and flags of the headers of packet @n, which carries @payload bytes from @done
 * on. The checksum there is that of the pseudo header without a length, and gets it. */
void net_patch_headers(const NetSegmenting *s, uint8_t *frame, uint32_t n, uint32_t done,
                       uint32_t payload, bool last);

#endif
